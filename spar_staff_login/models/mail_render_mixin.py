import functools
from html import unescape

from lxml import etree, html

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.misc import file_open
from odoo.tools.rendering_tools import parse_inline_template

from odoo.addons.spar_mapper_connector.lib.addon_code import list_code
from odoo.addons.spar_mapper_connector.server.addon_code import (
    is_closed_to_code,
    refuse_code,
)

_HTML = ("qweb", "qweb_view")


@functools.cache
def _read_file(path: str) -> str:
    """Return the text of an addon's file, as its values are read."""
    with file_open(path) as file:
        return " ".join(unescape(file.read()).split())


class MailRenderMixin(models.AbstractModel):
    """Templates of mails and messages, whose placeholders are code.

    Odoo has editors of templates, who may write any expression. Here an addon brings
    those; people write text, and the placeholders that Odoo gives to everybody.
    """

    _inherit = "mail.render.mixin"

    # === WHAT IS STORED === #

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        templates._check_new_file()
        templates._check_placeholders(dict.fromkeys(templates.ids, set()))
        return templates

    def write(self, vals):
        known = self._list_placeholders()
        if "template_fs" in vals and is_closed_to_code(self.env):
            refuse_code(self)
        result = super().write(vals)
        self._check_placeholders(known)
        return result

    def _update_field_translations(self, *args, **kwargs):
        known = self._list_placeholders()
        result = super()._update_field_translations(*args, **kwargs)
        self._check_placeholders(known)
        return result

    def _check_new_file(self) -> None:
        """Raise ValidationError if somebody names the file of a new template."""
        if "template_fs" in self and is_closed_to_code(self.env):
            for template in self.filtered("template_fs"):
                refuse_code(template)

    def _list_placeholders(self) -> dict[int, set]:
        """Return what is evaluated in each template, if that is looked at."""
        if not (self._unrestricted_rendering and is_closed_to_code(self.env)):
            return {}
        return {template.id: template._list_expressions() for template in self}

    def _list_expressions(self) -> set:
        """Return what Odoo evaluates in the fields of this template, in all languages.

        Left out is what Odoo lets everybody write.
        """
        found = set()
        for lang, _name in self.env["res.lang"].get_installed():
            template_sudo = self.sudo().with_context(lang=lang)
            for name, field in self._fields.items():
                engine = getattr(field, "render_engine", "inline_template")
                text = template_sudo[name]
                if text and isinstance(text, str):
                    found |= template_sudo._find_expressions(text, name, engine)
        return found

    def _find_expressions(self, text: str, name: str, engine: str) -> set:
        """Return what Odoo evaluates in the text of one field."""
        model = self.render_model
        if engine in _HTML:
            if self._has_unsafe_expression_template_qweb(text, model, name):
                root = html.fragment_fromstring(text, create_parent="div")
                return list_code(root.iter(etree.Element))
        elif self._has_unsafe_expression_template_inline_template(text, model, name):
            parts = parse_inline_template(text)
            return {("", " ".join(part[1].split())) for part in parts if part[1]}
        return set()

    def _check_placeholders(self, known: dict[int, set]) -> None:
        """Raise ValidationError if somebody added an expression to a template."""
        if not (self._unrestricted_rendering and is_closed_to_code(self.env)):
            return
        for template in self:
            if not template._list_expressions() <= known[template.id]:
                refuse_code(template)

    @api.model
    def _find_foreign_code(self) -> list[int]:
        """Return the ids of templates with expressions that no addon brought."""
        if self._abstract or not self._unrestricted_rendering:
            return []
        templates_sudo = self.sudo().with_context(active_test=False)
        templates = templates_sudo.search(Domain.TRUE, order="id")
        named = templates._get_external_ids()
        return [
            template.id
            for template in templates
            if (expressions := template._list_expressions())
            and not (named[template.id] and template._is_in_file(expressions))
        ]

    def _is_in_file(self, expressions: set) -> bool:
        """Return whether this template's file, if it is known, has all of these."""
        path = "template_fs" in self and self.template_fs
        if not path:
            return True
        try:
            text = _read_file(path)
        except (OSError, ValueError):
            # Somebody with SQL can name any file.
            return False
        return all(expression[-1] in text for expression in expressions)

    # === WHAT IS RENDERED === #

    @api.model
    def _render_template_qweb(self, template_src, model, *args, **options):
        """Render a text of its author, such as that of a mail to many, without code."""
        if self._has_unsafe_expression_template_qweb(template_src, model):
            self._check_rendering()
        return super()._render_template_qweb(template_src, model, *args, **options)

    @api.model
    def _render_template_inline_template(self, template_txt, model, *args, **options):
        """Do the same for a line, such as a subject."""
        text = str(template_txt or "")
        if self._has_unsafe_expression_template_inline_template(text, model):
            self._check_rendering()
        return super()._render_template_inline_template(
            template_txt, model, *args, **options
        )

    @api.model
    def _check_rendering(self) -> None:
        """Raise ValidationError for code in a text that is not a stored template."""
        if not self._unrestricted_rendering and is_closed_to_code(self.env):
            raise ValidationError(
                self.env._(
                    "You cannot use this placeholder here because it is code, and this "
                    "database holds people's accounts. Choose one from the list."
                )
            )
