from odoo import fields, models

from ...fields import CheckedMany2one
from ...lib import seals

_STATES = [
    ("proposed", "Proposed"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("ended", "Ended"),
]


class SparStoredAddress(models.AbstractModel):
    """The columns that a place and each of its periods have for an address."""

    _name = "spar.stored.address"
    _description = "Address as it is stored"
    _inherit = ["spar.channel.name", "spar.sealed.storage"]
    _seal_purpose = seals.ADDRESS
    _seal_context_columns = ("address_uuid", "subject_id.uuid", "address_version")

    authority = fields.Integer(readonly=True)
    channel = fields.Char(readonly=True)
    origin = fields.Char(readonly=True)
    proof = fields.Char(readonly=True, string="Authenticated by")
    valid_from = fields.Datetime(string="Valid from", readonly=True)
    asserted_at = fields.Datetime(string="Asserted at", readonly=True)
    strategy_number = fields.Integer(string="Strategy number", readonly=True)
    fa_type_id = CheckedMany2one(
        "spar.fa.type", string="Kind", readonly=True, ondelete="restrict"
    )
    provider_id = CheckedMany2one("spar.fsp", readonly=True, ondelete="restrict")
    branch_id = CheckedMany2one("spar.fsp.branch", readonly=True, ondelete="restrict")
    version = fields.Integer(readonly=True)
    state = fields.Selection(
        _STATES, string="State of the address", required=True, readonly=True
    )
    state_since = fields.Datetime(string="State since", required=True, readonly=True)
    address_uuid = fields.Char(
        string="UUID of the address",
        required=True,
        readonly=True,
        help="Stays the same as long as the address does.",
    )
    address_version = fields.Integer(
        string="Address version",
        readonly=True,
        help="The version under which the address was sealed.",
    )

    def _build_seal_context(self, *values) -> bytes:
        return seals.address_context(*values)
