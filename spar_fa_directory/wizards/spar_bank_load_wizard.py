from odoo import api, fields, models
from odoo.fields import Domain

from ..lib import bank_registry

_MAX_SHOWN = 200


class SparBankLoadWizard(models.TransientModel):
    """The banks of a country, from the public registry of banks."""

    _name = "spar.bank.load.wizard"
    _description = "Load banks of a country"

    country_id = fields.Many2one(
        "res.country",
        domain=lambda self: self._domain_country_id(),
        help="Only countries whose banks are in the registry.",
    )
    bank_count = fields.Integer("Banks in the registry", compute="_compute_bank_count")
    state = fields.Selection(
        [("choose", "Choose"), ("done", "Loaded")], default="choose", readonly=True
    )
    added_count = fields.Integer("Added", readonly=True)
    updated_count = fields.Integer("Updated", readonly=True)
    same_count = fields.Integer("Unchanged", readonly=True)
    kept_count = fields.Integer("Kept (edited by staff)", readonly=True)
    refused_count = fields.Integer("Skipped", readonly=True)
    gone_count = fields.Integer("Gone from the registry", readonly=True)
    added = fields.Text("New banks", readonly=True)
    updated = fields.Text("Changed banks", readonly=True)
    gone = fields.Text("Gone from the registry (kept here)", readonly=True)
    kept = fields.Text(readonly=True)
    refused = fields.Text("Skipped, with reasons", readonly=True)

    @api.model
    def _domain_country_id(self):
        return Domain("code", "in", bank_registry.get_countries())

    @api.depends("country_id")
    def _compute_bank_count(self):
        for wizard in self:
            code = wizard.country_id.code
            banks, _left_out = bank_registry.get_banks(code) if code else ((), ())
            wizard.bank_count = len(banks)

    def action_load(self):
        """Load the banks, and show what was done."""
        self.ensure_one()
        self.env["spar.fsp"].check_access("create")
        load = self.env["spar.fsp"]._load_banks(self.country_id.code)
        self._as_code().write(
            {
                "state": "done",
                "added_count": len(load.added),
                "updated_count": len(load.updated),
                "same_count": len(load.same),
                "kept_count": len(load.kept),
                "refused_count": len(load.refused),
                "gone_count": len(load.gone),
                "added": self._format_banks([(name, "") for name in load.added]),
                "updated": self._format_banks([(name, "") for name in load.updated]),
                "gone": self._format_banks(load.gone),
                "kept": self._format_banks(load.kept),
                "refused": self._format_banks(load.refused),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Banks of %(country)s", country=self.country_id.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    @api.model
    def _format_banks(self, banks: list[tuple[str, str]]) -> str:
        lines = [
            f"{name}: {reason}" if reason else name
            for name, reason in banks[:_MAX_SHOWN]
        ]
        return "\n".join(lines + ["…"] * (len(banks) > _MAX_SHOWN))

    def action_open_banks(self):
        """Open the list of the country's banks."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_fa_directory.spar_fsp_action"
        )
        country = self.country_id
        return {
            **action,
            "domain": [("country_id", "=", country.id), ("kind", "=", "bank")],
            "display_name": self.env._("Banks of %(country)s", country=country.name),
        }
