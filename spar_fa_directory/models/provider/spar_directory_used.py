from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools.misc import formatLang


class Uses(NamedTuple):
    """How many financial addresses name a record: those in force, and earlier ones."""

    in_force: int = 0
    ended: int = 0


class SparDirectoryUsed(models.AbstractModel):
    """A record that addresses name: archived rather than deleted, with counted uses."""

    _name = "spar.directory.used"
    _description = "Used by Financial Addresses"

    use_count = fields.Integer(
        "Financial addresses",
        compute="_compute_use_count",
        help="Financial addresses in force that use this record.",
    )
    ended_use_count = fields.Integer(
        "Earlier financial addresses", compute="_compute_use_count"
    )
    is_used = fields.Boolean(string="Used", compute="_compute_use_count")

    @api.depends_context("uid")
    def _compute_use_count(self):
        uses, used = self._count_uses(), self._is_used()
        for record in self:
            record.use_count, record.ended_use_count = uses.get(record.id, Uses())
            record.is_used = record in used

    def _count_uses(self) -> dict[int, Uses]:
        """Return how many mappings name each of these records.

        Extended by the addon that stores mappings; none here.
        """
        return {}

    def _is_used(self):
        """Return those of these records that a mapping names, even one that has ended.

        Extended by the addon that stores mappings; none here.
        """
        return self.browse()

    def _get_uses_text(self) -> str:
        """Return a text with the number of addresses in force; "" for none."""
        count = sum(uses.in_force for uses in self._count_uses().values())
        names = ", ".join(self[:3].mapped("display_name"))
        if len(self) > 3:
            names += ", …"
        if count == 1:
            return self.env._(
                "1 financial address in force names %(names)s.", names=names
            )
        if not count:
            return ""
        return self.env._(
            "%(count)s financial addresses in force name %(names)s.",
            count=formatLang(self.env, count, digits=0),
            names=names,
        )

    def action_archive(self):
        """Archive; the page then shows how many addresses name the records.

        The addresses stay as they are and are resolved as before.
        """
        uses_text = self.filtered("active")._get_uses_text()
        result = super().action_archive()
        return self._build_archived_notification(uses_text) if uses_text else result

    def _build_archived_notification(self, uses_text: str) -> dict:
        stays = self.env._(
            "They stay and are paid as before. New addresses cannot use archived "
            "records."
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Archived"),
                "message": f"{uses_text} {stays}",
                "type": "warning",
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
