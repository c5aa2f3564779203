from odoo import api, models

from odoo.addons.spar_fa_directory.lib.fa_words import write_masked
from odoo.addons.spar_mapper_connector.lib.identifier import IdTemplate, parse_template

from ...lib.masking import mask_id


class SparMaskedWords(models.AbstractModel):
    """Masked IDs as people read them."""

    _inherit = "spar.masked.words"

    @api.model
    def _write_ids(self, texts: list[str]) -> list[str]:
        """Return masked IDs in words, in the same order; given are canonical ones.

        An ID of no known type stays in the form in which it travels, masked.
        """
        names = self._get_names_by_template()
        return [self._write_id(text, names) or mask_id(text) for text in texts]

    @api.model
    def _get_names_by_template(self) -> dict:
        """Return the name of each ID type, archived or not, by how its IDs are written.

        The longest template comes first: a shorter one may fit its IDs as well.
        """
        types_sudo = self.env["spar.id.type"].sudo().with_context(active_test=False)
        names = {
            parse_template(template): id_type_sudo.name
            for id_type_sudo in types_sudo.search([]).sorted("active")
            for field in ("strategy", "stored_strategy")
            if (template := id_type_sudo[field])
        }
        return dict(sorted(names.items(), key=lambda item: -_count_fixed(item[0])))

    @api.model
    def _write_id(self, text: str, names: dict) -> str:
        for template, name in names.items():
            value = template.extract(text) if _count_fixed(template) else None
            if value and not set(":@") & set(value):
                return write_masked(self._get_wording(), name, [value])
        return ""


def _count_fixed(template: IdTemplate) -> int:
    """Return how many characters of an ID its template states."""
    return len(template.prefix) + len(template.suffix)
