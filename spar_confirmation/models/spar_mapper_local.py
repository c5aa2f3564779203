from odoo import models

from odoo.addons.spar_mapper_connector.lib.contract import Capability


class SparMapperLocal(models.AbstractModel):
    """The store: its own page confirms what portals propose."""

    _inherit = "spar.mapper.local"

    def _capabilities(self):
        known = super()._capabilities()
        if self.env["spar.confirmation.client"]._search_usable([]):
            # Who locks changes must be able to lift the lock again.
            return known | {Capability.CONFIRMATION, Capability.CHANGE_LOCK}
        return known

    def _propose(self, call, proposal):
        self._check_channel()
        return self.env["spar.confirmation"]._propose(call, proposal)

    def _get_confirmation(self, call, reference):
        self._check_channel()
        confirmations = self.env["spar.confirmation"]
        return confirmations._get_confirmation(call.actor, reference)

    def _is_visited(self, call, reference, id_value):
        self._check_channel()
        confirmations = self.env["spar.confirmation"]
        return confirmations._is_visited(call.actor, reference, id_value)

    def _end_visit(self, call, reference):
        self._check_channel()
        self.env["spar.confirmation"]._end_visit(call.actor, reference)
