from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_fa_directory.lib.exceptions import LoadStopped

from ...lib.rule_changes import RuleChanges
from .spar_directory_trial import CHANGES, Effect

#: For more addresses than this, the user is not kept waiting for figures at each piece.
MAX_CHECKED = 20_000
_FLAGS = ("addresses_seen", "touches_addresses")


class AddressesTouched(LoadStopped):
    """Stored addresses would have another form."""


class SparDirectoryImport(models.Model):
    """A file import, which stops and reports if stored addresses would be rewritten."""

    _inherit = "spar.directory.import"

    addresses_seen = fields.Boolean(
        string="Addresses seen",
        readonly=True,
        copy=False,
        help="A user has seen the effect of the file on stored addresses and confirmed "
        "it.",
    )
    touches_addresses = fields.Boolean(
        string="Concerns addresses", readonly=True, copy=False
    )

    def _load_chunk(self, records, reader):
        changes = RuleChanges(is_seen=True)
        job = self.with_context(**{CHANGES: changes})
        result = super(SparDirectoryImport, job)._load_chunk(records, reader)
        user = self._get_loading_user()
        if changes.has_any and not self.addresses_seen and not user._is_superuser():
            trials = self.env["spar.directory.trial"]
            if effect := trials._survey(changes.to_scope(), MAX_CHECKED):
                effect = self._show_effect(effect, user, records)
                raise AddressesTouched(trials._describe_rows(effect, records[-1].row))
        return result

    def _show_effect(self, effect, user, records):
        """Return the effect as ``user`` may see it, counted as their question.

        Who has asked too many questions today learns only that there are addresses.
        """
        job, question = self.with_user(user), repr([record.cells for record in records])
        try:
            job.env["spar.question"]._charge("directory", question)
        except UserError:
            return Effect(effect.looked_at, is_known=False)
        return self.env["spar.directory.trial"]._blur(effect, question)

    def _stop_for(self, error):
        result = super()._stop_for(error)
        if isinstance(error, AddressesTouched):
            self.sudo().touches_addresses = True
        return result

    def action_load_seen(self):
        """Continue for a user who has seen the effect on the addresses."""
        self.check_access("write")
        jobs = self.filtered("touches_addresses")
        jobs.sudo().write({"addresses_seen": True, "touches_addresses": False})
        return jobs.action_load()

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._drop_flags(vals) for vals in vals_list])

    def write(self, vals):
        vals = self._drop_flags(vals)
        result = super().write(vals)
        if "file" in vals:
            self.sudo().write(dict.fromkeys(_FLAGS, False))
        return result

    def _drop_flags(self, vals: dict) -> dict:
        """Return the values without those that only the registry may set."""
        if self.env.su:
            return dict(vals)
        return {name: value for name, value in vals.items() if name not in _FLAGS}
