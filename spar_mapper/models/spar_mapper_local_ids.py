from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.id_rules import Identifier

from ..store.lengths import list_lengths


class SparMapperLocal(models.AbstractModel):
    """What staff are asked before they link an ID of which nobody has said how it
    looks."""

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.mapper.local"

    @api.model
    def _find_doubt(self, call: CallContext, id_value: str) -> str:
        """Why a new ID may be mistyped: ``letters``, ``length``, or "" for no doubt.

        There is none about an ID that is here already, about one whose type says what
        its IDs look like, and about a text that the mapper refuses anyway.
        """
        types = self.env["spar.id.type"]
        (identifier,) = self._identify([id_value])
        if not isinstance(identifier, Identifier):
            return ""
        if types._has_card_rule(identifier.type_id) or self._is_known(identifier):
            return ""
        value = types._get_clean_value(id_value)
        if not value.isdecimal():
            return "letters"
        return "" if len(value) in self._get_lengths(call, identifier) else "length"

    @api.model
    def _is_known(self, identifier: Identifier) -> bool:
        keyring = self.env["spar.keyring"]._open()
        identifiers = self.env["spar.subject.id"]
        return bool(identifiers._find_ids(keyring, [identifier.canonical]))

    @api.model
    def _get_lengths(self, call: CallContext, identifier) -> frozenset[int]:
        work = self._begin_work(call, for_write=False)
        lengths = list_lengths(work, identifier.type_id)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return lengths
