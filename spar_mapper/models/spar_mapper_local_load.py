from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib.ledger import Ledger
from ..lib.records import Holding
from ..store.loading import Loader
from ..store.saving import Saver


class SparMapperLocal(models.AbstractModel):
    """The way to the tables: what is done there stands in ``store/``."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _load_holdings(
        self, keyring: OpenKeyring, canonicals: list[str]
    ) -> dict[str, Holding]:
        """Lock IDs and read what is known of them; raises alarms for what is broken.

        IDs that are not known are left out.
        """
        loader = Loader(self.env.cr, keyring)
        holdings = loader.load(canonicals)
        self.env["spar.alarm"]._raise_alarms(loader.problems)
        return holdings

    @api.model
    def _save(self, ledger: Ledger) -> None:
        """Write what a batch did, in the transaction that is open."""
        Saver(self.env.cr, ledger.keyring, self._call_listeners).save(ledger)
        self._forget_cached()

    @api.model
    def _call_listeners(self, change_ids: list[int]) -> None:
        """Let every listener know which changes have ended."""
        for name in sorted(self.env.registry["spar.change.listener"]._inherit_children):
            self.env[name]._on_changes_ended(change_ids)

    @api.model
    def _forget_cached(self) -> None:
        """What the ORM remembers of the store's tables is no longer so."""
        for name in ("spar.subject", "spar.mapping", "spar.event", "spar.change"):
            self.env[name].invalidate_model()
