from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring
from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ...lib.chain import commit_to
from ...lib.records import new_uuid
from ...lib.witnesses import (
    HEARD,
    VOUCHED,
    Witness,
    mask_name,
    normalise_number,
    pack_witness,
    unpack_witness,
)
from ..staff.spar_lookup import FoundPlace

#: The purpose of the seals. It must never change.
WITNESS = "witness"


class SparWitness(models.Model):
    """Somebody who vouched for a person, or heard what was read to them; sealed.

    A number of theirs, if one is known, is kept as a keyed commitment as well, so that
    a supervisor sees for how many people the same witness vouched.
    """

    _name = "spar.witness"
    _description = "Witness"
    _inherit = ["spar.subject.row", "spar.by.whom", "spar.sealed.storage"]
    _rec_name = "uuid"
    _order = "id"
    _log_access = False
    _seal_purpose = WITNESS
    _seal_prefix = (WITNESS,)
    _seal_context_columns = ("uuid", "subject_id.uuid", "kind")
    _refuses_delete = "witnesses are not deleted"

    uuid = fields.Char(required=True, readonly=True)
    kind = fields.Selection(
        [
            (VOUCHED, "Knows who the person is"),
            (HEARD, "Heard what was read aloud"),
        ],
        string="Confirmed",
        required=True,
        readonly=True,
    )
    evidence = fields.Char(
        string="Number of the document",
        readonly=True,
        help="The document that was stored with it, which the event names.",
    )
    actor = fields.Char(string="Entered by (reference)")
    added_at = fields.Datetime(string="Entered at", required=True, readonly=True)
    actor_name = fields.Char(string="Entered by")
    name_masked = fields.Char(string="Witness", compute="_compute_masked")
    number_masked = fields.Char(string="ID or phone", compute="_compute_masked")
    vouched_count = fields.Integer(
        string="Also vouched for",
        compute="_compute_vouched_count",
        aggregator=None,
        help="For how many other people without an ID card somebody with the same ID "
        "or phone vouched.",
    )

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("commitment",))
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS spar_witness_commitment
                   ON spar_witness (commitment) WHERE commitment IS NOT NULL"""
        )
        return result

    # === DISPLAY === #

    @api.depends("uuid")
    @api.depends_context("lang")
    def _compute_masked(self):
        """Open the witness for this display only; nothing of it is stored."""
        try:
            opened = self._open_all()
        except ServiceUnavailable:
            self.name_masked = self.env._("Encryption keys unavailable")
            self.number_masked = False
            return
        broken = self.env._("Cannot be opened: see the alarms")
        texts = [known.number for known in opened.values()]
        words = self.env["spar.masked.words"]._write_ids(texts)
        numbers = dict(zip(opened, words, strict=True))
        for witness in self:
            known = opened.get(witness._origin.id)
            witness.name_masked = mask_name(known.name) if known else broken
            witness.number_masked = numbers.get(witness._origin.id, False)

    @api.depends("uuid")
    def _compute_vouched_count(self):
        others = self._find_others()
        for witness in self:
            witness.vouched_count = len(others.get(witness._origin.id, ()))

    def _find_others(self) -> dict[int, set[int]]:
        """Return for whom else somebody with the number of each witness vouched."""
        query = SQL(
            """SELECT DISTINCT w.id, o.subject_id
                 FROM spar_witness w
                 JOIN spar_witness o ON o.commitment = w.commitment
                                    AND o.subject_id <> w.subject_id
                WHERE w.id = ANY(%s) AND o.kind = %s""",
            self.ids,
            VOUCHED,
        )
        others: dict[int, set[int]] = {}
        for witness_id, subject_id in self.env.execute_query(query):
            others.setdefault(witness_id, set()).add(subject_id)
        return others

    def _open_all(self) -> dict[int, Witness]:
        """Return the witnesses in clear, by row: for masking and logged accesses."""
        self.check_access("read")
        texts = self._read_sealed_rows()
        return {row_id: unpack_witness(text) for row_id, text in texts.items()}

    # === ENTERING === #

    @api.model
    def _store(
        self,
        call: CallContext,
        subject,
        kind: str,
        evidence: str,
        witnesses: list[Witness],
    ) -> None:
        """Store the witnesses of a change, with the document that it names."""
        keyring = self.env["spar.keyring"]._open(for_write=True)
        now = self.env["spar.mapper.local"]._get_now()
        rows = []
        for witness in witnesses:
            uuid = new_uuid()
            text = pack_witness(witness)
            sealed = self._seal_value(text, uuid, subject.uuid, kind)
            commitment = self._commit(keyring, witness.number)
            row = (uuid, subject.id, kind, evidence, call.actor, now)
            rows.append((*row, sealed, commitment))
        self.env.cr.execute_values(
            """INSERT INTO spar_witness (uuid, subject_id, kind, evidence, actor,
                                         added_at, sealed, commitment) VALUES %s""",
            rows,
        )
        self.invalidate_model()

    @api.model
    def _commit(self, keyring: OpenKeyring, number: str) -> bytes | None:
        plain = normalise_number(number)
        return commit_to(keyring, f"number of a witness: {plain}") if plain else None

    # === VIEWING === #

    @api.model
    def _log_view(self, subject) -> None:
        """Record that the user sees the witnesses of a person, before they are shown.

        Raises AccessError for anybody but supervisors and auditors who may see the
        person.
        """
        self.check_access("read")
        subject.check_access("read")
        with self.env["spar.staff.answers"]._raise_user_errors():
            self.env["spar.mapper.local"]._build_staff_call()
        if not subject.witness_ids:
            raise UserError(self.env._("No witness is stored for this person."))
        place = FoundPlace(0, subject.id)
        lookups = self.env["spar.lookup"]
        lookups._search_counted(WITNESS, subject.uuid, lambda: [place])

    @api.model
    def _describe(self, subject) -> str:
        """Return a person's witnesses in clear, for a user whose view is logged."""
        opened = subject.witness_ids._open_all()
        lines = [
            ", ".join(filter(None, (one.name, one.contact, one.number)))
            for _row, one in sorted(opened.items())
        ]
        return "\n".join(lines)
