from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib.ledger import Ledger
from ..store.loading import Loader
from .spar_mapper_local_history import AUDITOR


class SparMapperLocal(models.AbstractModel):
    """Showing an address whole: never without leaving a trace."""

    _inherit = "spar.mapper.local"

    @api.model
    def _log_reveal(self, call: CallContext, mapping_id: int) -> int:
        """Record that somebody looks, in a transaction of its own; the event's id.

        The trace is there before anything is shown, and stays whatever comes after.
        Refuses everybody but auditors, and a mapping that does not open.
        """
        self._check_member(AUDITOR)
        with self.env.registry.cursor() as cr:
            mapper = self.with_env(self.env(cr=cr))
            return mapper._save_reveal(call, mapping_id)

    @api.model
    def _save_reveal(self, call: CallContext, mapping_id: int) -> int:
        keyring = self.env["spar.keyring"]._open(for_write=True)
        ledger = Ledger(keyring, call, self._get_now())
        try:
            holding, row = self._load_one(keyring, mapping_id)
        except SealBroken as error:
            raise UserError(
                self.env._("This address does not open: see the alarms.")
            ) from error
        ledger.note(holding, row, "revealed")
        self._save(ledger)
        event = SQL("SELECT id FROM spar_event WHERE uuid = %s", ledger.events[0].uuid)
        return self.env.execute_query(event)[0][0]

    @api.model
    def _load_one(self, keyring: OpenKeyring, mapping_id: int) -> tuple:
        """``(holding, row)`` of any period, ended ones too; its ID locked.

        Raises SealBroken.
        """
        query = SQL("SELECT identifier_id FROM spar_mapping WHERE id = %s", mapping_id)
        identifiers = [row[0] for row in self.env.execute_query(query)]
        opened = self.env["spar.subject.id"]._unseal_ids(keyring, identifiers)
        loader = Loader(self.env.cr, keyring)
        for holding in loader.lock(opened.values()).values():
            (row,) = loader.fetch("m.id = %s", mapping_id)
            return holding, loader.open(holding, row)
        raise SealBroken("the ID of the address does not open")
