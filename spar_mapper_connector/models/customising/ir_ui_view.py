import re

from lxml import etree

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...expressions import is_at_run_time, is_by_operator, is_loading
from ...lib.addon_code import is_plain, list_code
from ...server.addon_code import is_closed_to_code, refuse_code

#: The key of Odoo's own templates. Staff screens are made of them; websites have their
#: own in place of them.
FRAME = "web."
#: The same, and that of our own templates.
_STAFFS = (FRAME, "spar_")
#: The text in whose place a view that extends another one gets the element it replaces.
_REPEATED = "$0"
_NAMING = (
    '<xpathexpr="."position="attributes">'
    '<attributename="t-name">{key}</attribute></xpath>'
)


class IrUiView(models.Model):
    """Views of staff, which only addons define, whatever their model.

    The web client runs what a view contains, as the user who opens it: a card's
    template holds JavaScript. So a view of any model, once an officer opens it, could
    act as the officer.
    """

    _name = "ir.ui.view"
    _inherit = ["ir.ui.view", "spar.sealed.customising"]
    _sealed_fields = ("inherit_id", "active", "mode", "model")
    # Translations are loaded past the ORM.
    _sealed_beside = {"arch": "t.arch_db->>'en_US'"}
    # The directory's views are loaded before the addon that has the keys.
    _sealed_rows = """left(t.model, 5) = 'spar.' AND NOT EXISTS (
        SELECT FROM ir_model_data d WHERE d.model = 'ir.ui.view' AND d.res_id = t.id
                                      AND d.module = 'spar_fa_directory')"""

    def _get_closed_models(self):
        return set(filter(None, self.mapped("model")))

    @api.model
    def _is_ours(self, name):
        """Return True for the directory, too: officers open it beside accounts."""
        return name.startswith("spar.") and name in self.env

    @api.constrains(
        "model",
        "arch_db",
        "inherit_id",
        "active",
        "mode",
        "priority",
        "key",
        "type",
    )
    def _check_not_ours(self):
        self._check_closed()
        if not is_loading(self.env):
            self._check_frames()
            if not is_by_operator(self.env):
                self._check_screens()

    def write(self, vals):
        """Check each write, whatever other addons add: groups, a website, a password.

        A website's page writes the fields of its view, which can be any view.
        """
        known = self._list_known_code()
        if vals.get("arch_fs") and is_closed_to_code(self.env):
            refuse_code(self[:1])
        result = super().write(vals)
        if is_at_run_time(self.env):
            self._check_not_ours()
        self._check_code(known)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        views = super().create(vals_list)
        if is_closed_to_code(self.env):
            for view in views:
                view._check_new_code()
                view._check_new_file()
        return views

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shipped(self):
        """Raise ValidationError for a view of an addon that staff's screens need."""
        # A view can be gone already: a website's page takes its own along.
        if is_at_run_time(self.env) and any(map(_is_of_screens, self.exists())):
            raise ValidationError(
                self.env._(
                    "You cannot delete this view because staff's screens need it. It "
                    "is deleted with its addon."
                )
            )

    def _update_field_translations(self, *args, **kwargs):
        """Raise ValidationError for a view of staff: its addon translates it."""
        self._check_not_ours()
        known = self._list_known_code()
        result = super()._update_field_translations(*args, **kwargs)
        self._check_code(known)
        return result

    # === CODE === #

    def _list_known_code(self) -> dict[int, set[tuple[str, str]]]:
        """Return the code that each view may contain: its own, and that of its file."""
        if not is_closed_to_code(self.env):
            return {}
        return {view.id: view._list_code() | view._list_file_code() for view in self}

    def _list_code(self) -> set[tuple[str, str]]:
        """Return what QWeb evaluates in this view, in every language."""
        found = set()
        for lang, _name in self.env["res.lang"].get_installed():
            found |= self._read_code(self.with_context(lang=lang).arch_db)
        return found

    def _read_code(self, arch: str | bool) -> set[tuple[str, str]]:
        """Return the code of this view's XML.

        Where it extends another view, what repeats that view's elements counts as well:
        some steps of it make a page of any size.
        """
        if not arch:
            return set()
        root = etree.fromstring(arch.encode())
        code = list_code(root.iter(etree.Element))
        return code | _list_repeated(root) if self.inherit_id else code

    def _list_file_code(self) -> set[tuple[str, str]]:
        """Return what QWeb evaluates in the file of this view; nothing without one."""
        if not self.arch_fs:
            return set()
        try:
            return self._read_code(self._read_file())
        except (OSError, ValueError, etree.XMLSyntaxError):
            # Somebody with SQL can name any file.
            return set()

    def _read_file(self) -> str:
        return self.with_context(read_arch_from_file=True, lang=None).arch

    def _check_code(self, known: dict[int, set[tuple[str, str]]]) -> None:
        """Raise ValidationError if somebody added code to one of these views."""
        if is_closed_to_code(self.env):
            for view in self:
                if not view._list_code() <= known[view.id]:
                    refuse_code(view)
                view._check_key()

    def _check_new_file(self) -> None:
        """Raise ValidationError for a view whose file is not that of another one."""
        views_sudo = self.sudo().with_context(active_test=False)
        copied = Domain("arch_fs", "=", self.arch_fs) & Domain("id", "!=", self.id)
        if self.arch_fs and not views_sudo.search_count(copied, limit=1):
            refuse_code(self)

    def _check_key(self) -> None:
        """Raise ValidationError for a key that is code where Odoo copies it to."""
        if not is_plain(self.key or ""):
            refuse_code(self)

    def _check_new_code(self) -> None:
        """Raise ValidationError for a new view with code that is in no other one.

        Websites make their own copies of views, and new pages from templates.
        """
        self._check_key()
        code = self._list_code()
        if not code:
            return
        piece = max(_list_words(code), key=len)
        like = Domain("arch_db", "like", piece) & Domain("id", "!=", self.id)
        views_sudo = self.sudo().with_context(active_test=False)
        if any(code <= view._list_code() for view in views_sudo.search(like)):
            return
        refuse_code(self)

    @api.model
    def _find_foreign_code(self) -> list[int]:
        """Return the ids of pages with code that no addon brought or a website copied.

        Addons bring it in a file, or make a view that has an external ID.
        """
        views_sudo = self.sudo().with_context(active_test=False)
        views = views_sudo.search([("type", "=", "qweb")], order="id")
        named = views._get_external_ids()
        code, added = {}, []
        for view in views:
            code[view.id] = view._list_code()
            if view.arch_fs:
                is_shipped = code[view.id] <= view._list_file_code()
            else:
                is_shipped = bool(named[view.id])
            if code[view.id] and not is_shipped:
                added.append(view.id)
        brought = [code[view.id] for view in views if view.id not in added]
        return [
            view_id
            for view_id in added
            if not any(code[view_id] <= of_addon for of_addon in brought)
        ]

    def _check_screens(self) -> None:
        """Raise ValidationError if a view of the web client would change."""
        for view in self:
            if view.type != "qweb":
                raise ValidationError(
                    self.env._(
                        "You cannot change %(view)s here: views of staff's screens can "
                        "contain scripts. In a database with SPAR, ship them in an "
                        "addon.",
                        view=view.name,
                    )
                )

    def _check_frames(self) -> None:
        """Raise ValidationError if a template around, or of, our screens would change.

        A receipt is one of ours: a person takes home what it says.
        """
        for view in self:
            parent = view.inherit_id if view.mode == "extension" else view.browse()
            keys = (view.key, view.xml_id, parent.key, parent.xml_id)
            if view.type == "qweb" and any((k or "").startswith(_STAFFS) for k in keys):
                raise ValidationError(
                    self.env._(
                        "You cannot change %(view)s here because it is part of staff's "
                        "screens or of SPAR's pages: a script could act as any member "
                        "of staff. Ship it in an addon.",
                        view=view.name,
                    )
                )

    @api.model
    def _find_foreign(self) -> list[int]:
        """Return the ids of views of staff that differ from their addon's file.

        Somebody with SQL can put a script there, past every check of the ORM.
        """
        staffs = Domain("type", "!=", "qweb") | Domain.OR(
            Domain("key", "=like", f"{key}%".replace("_", "\\_")) for key in _STAFFS
        )
        views_sudo = self.sudo().with_context(active_test=False, lang="en_US")
        found = views_sudo.search(staffs, order="id")
        shipped = found.with_context(read_arch_from_file=True)
        return [
            stored.id
            for stored, from_file in zip(found, shipped, strict=True)
            if not _is_same(
                stored.arch_db, stored.arch_fs and from_file.arch, stored.key
            )
        ]

    def _filter_sealed(self):
        return self.filtered(lambda view: (view.model or "").startswith("spar."))


def _is_of_screens(view) -> bool:
    """Return whether an addon's view belongs to staff's screens, or to SPAR."""
    found = view.sudo()._get_external_ids()[view.id]
    names = [name for name in found if not name.startswith("__")]
    if view.type != "qweb":
        return bool(names)
    return any(name.startswith(_STAFFS) for name in (*names, view.key or ""))


def _is_same(stored: str, shipped: str | bool, key: str | bool) -> bool:
    """Return whether two views are the same XML, apart from white space."""
    if not shipped:
        return False
    # Odoo names a template when it loads it, if it is derived from another one.
    name = _NAMING.format(key=key)
    return _canonicalise(stored).replace(name, "") == _canonicalise(shipped)


def _canonicalise(arch: str) -> str:
    text = etree.tostring(etree.fromstring(arch.encode()), encoding="unicode")
    return "".join(etree.canonicalize(text).split())


def _list_repeated(root) -> set[tuple[str, str]]:
    """Return what the parts of a view replace by itself, several times."""
    found = set()
    for part in root.iter(etree.Element):
        count = len(part.xpath(f".//*[text()='{_REPEATED}']"))
        if part.get("position") == "replace" and count > 1:
            found.add((f"{_REPEATED} {count}", part.get("expr") or part.tag))
    return found


def _list_words(code: set[tuple[str, str]]) -> list[str]:
    """Return the parts of code that are written in XML as they are."""
    return [part for _name, value in code for part in re.split(r"[\s<>&\"']", value)]
