from dataclasses import replace

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import Outcome
from odoo.addons.spar_mapper_connector.lib.g2p_connect.codes import find_answer
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import Item

from ..lib.caller import Caller


class SparParticipant(models.Model):
    """The types of ID that a participant may name."""

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    id_type_ids = fields.Many2many(
        "spar.id.type", string="ID types", help="Empty: IDs of every type."
    )

    has_id_types = fields.Boolean(compute="_compute_has_id_types", store=True)

    @api.depends("id_type_ids")
    def _compute_has_id_types(self) -> None:
        for participant in self:
            participant.has_id_types = bool(participant.id_type_ids)

    def _build_caller(self, operations) -> Caller:
        caller = super()._build_caller(operations)
        if not self.has_id_types:
            return caller  # the usual case: skip the query for the types
        return replace(caller, id_type_ids=frozenset(self.sudo().id_type_ids.ids))


class SparG2pConnectServer(models.AbstractModel):
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "spar.g2p.connect.server"

    @api.model
    def _refuse_items(self, caller: Caller, items: list[Item]) -> None:
        """Refuse IDs of a type that this caller may not name, too.

        They are answered like IDs of an unknown type, whether they are known or not.
        """
        result = super()._refuse_items(caller, items)
        if caller.id_type_ids is not None:
            for item in items:
                value = item.request and item.request.id_value
                if value and not self._may_name(caller, value):
                    item.refuse(find_answer(item.operation, Outcome.INVALID_ID, "type"))
        return result

    @api.model
    def _may_name(self, caller: Caller, id_value: str) -> bool:
        try:
            identified = self.env["spar.id.type"]._identify(id_value)
        except InvalidIdentifier:
            return True  # the mapper reports what is wrong with it
        return identified.type_id in caller.id_type_ids
