import json
import logging
from dataclasses import replace
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    OwnerProofRefused,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.confirmed_change import (
    build_change,
    get_binding,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    LockRequest,
    SuspendRequest,
)
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import KeySetUnavailable
from odoo.addons.spar_mapper_connector.lib.owner_proof import (
    ConfirmedChange,
    OwnerProof,
)
from odoo.addons.spar_mapper_connector.lib.proof_check import (
    ProofRefused,
    ProvedPerson,
    check_proof,
)

from ...fields import StoreMany2one
from ...lib import integrity
from ...lib.proofs import PURPOSE, KeptProof, build_row, is_same_id
from ...lib.records import ProofRow

_logger = logging.getLogger(__name__)

#: What owners do without a proof: the safe direction.
_UNPROVED = (SuspendRequest, LockRequest)

#: The caller of the command that exports a proof.
_COMMAND = CallContext("system", "command", Authority.STAFF, reason="owner's proof")
#: How many rows are checked at once.
_PIECE = 10_000
#: All columns but the sealed one, which key rotation and erasure may replace.
_FIXED = (
    "id",
    "uuid",
    "subject_id",
    "event_id",
    "used_at",
    "login_digest",
    "parts",
)


class SparOwnerProof(models.Model):
    """The proof that an owner confirmed one change: sealed, with the change's event.

    The event commits to it. The digest of the login is unique for ever, also where
    nothing had to be changed (such a row has no event), and after erasure.
    """

    _name = "spar.owner.proof"
    _description = "Owner's proof"
    _inherit = ["spar.store.table", "spar.sealed.storage"]
    _rec_name = "uuid"
    _order = "id desc"
    _log_access = False
    _digest_columns = ("login_digest", "parts")
    _seal_purpose = PURPOSE
    _seal_prefix = (PURPOSE,)
    _seal_context_columns = ("uuid", "subject_id.uuid")
    _references = {"subject_id": "spar_subject", "event_id": "spar_event"}
    _refuses_delete = "proofs of owners are not deleted"

    uuid = fields.Char(string="Number", required=True, readonly=True)
    subject_id = StoreMany2one(
        "spar.subject", string="Person", readonly=True, index=True, ondelete="restrict"
    )
    event_id = StoreMany2one("spar.event", readonly=True, ondelete="restrict")
    used_at = fields.Datetime(string="Used at", required=True, readonly=True)

    _event_uniq = models.UniqueIndex(
        "(event_id) WHERE event_id IS NOT NULL", "An event has one proof."
    )

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS spar_owner_proof_login_digest_uniq
                   ON spar_owner_proof (login_digest)"""
        )
        for statement in integrity.build_append_only(self._table, _FIXED):
            self.env.cr.execute(statement)
        return result

    # === VERIFYING A CALL === #

    @api.model
    def _get_receiver_id(self) -> str:
        """Return the receiver ID of this store, which owners confirm.

        An addon by which others address the store returns the name that they use.
        """
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    @api.model
    def _verify(self, call: CallContext, requests: list) -> ProofRow | None:
        """Return the proof of a call, verified; None if it needs and has none.

        Raises OwnerProofRefused, ServiceUnavailable if the issuer's keys cannot be
        fetched, and SettingsAltered.
        """
        try:
            if call.owner_proof is None:
                self._check_not_required(call, requests)
                return None
            return self._verify_one(call, requests, call.owner_proof)
        except OwnerProofRefused as error:
            _logger.info("an owner's change was refused: %s", error.code)
            raise

    @api.model
    def _check_not_required(self, call: CallContext, requests: list) -> None:
        """Raise OwnerProofRefused if owners must prove their changes.

        A suspension needs no proof, because a doubt takes effect at once, and neither
        does a lock.
        """
        if call.authority < Authority.OWNER:
            return
        is_exempt = all(type(request) in _UNPROVED for request in requests)
        if not is_exempt and self.env["spar.limit"]._is_yes("owner_proof_required"):
            raise OwnerProofRefused("proof_missing")

    @api.model
    def _verify_one(
        self, call: CallContext, requests: list, proof: OwnerProof
    ) -> ProofRow:
        if call.authority < Authority.OWNER or len(requests) != 1:
            raise OwnerProofRefused("proof_not_usable")
        if proof.receiver != self._get_receiver_id():
            raise OwnerProofRefused("proof_receiver")
        issuer_sudo = self.env["spar.proof.issuer"]._find_accepted(proof.issuer)
        try:
            change = build_change(requests[0], get_binding(proof))
            kept = KeptProof(proof, change, issuer_sudo._get_rules())
            person = self._check_signed(kept, issuer_sudo)
            is_token = not is_same_id(person.id_value, change.item)
            kept = replace(kept, is_token=is_token)
        except ValueError:
            raise OwnerProofRefused("proof_not_usable") from None
        self._check_person(issuer_sudo, person, requests[0].id_value)
        self.env["spar.issuer.key"]._note_keys(proof.issuer, person.keys)
        keyring = self.env["spar.keyring"]._open(for_write=True)
        return build_row(keyring, kept)

    @api.model
    def _check_login(
        self, proof: OwnerProof, change: ConfirmedChange, id_value: str
    ) -> None:
        """Check that the owner of an ID confirmed ``change``; nothing is kept.

        Raises as ``_verify`` does.
        """
        issuer_sudo = self.env["spar.proof.issuer"]._find_accepted(proof.issuer)
        kept = KeptProof(proof, change, issuer_sudo._get_rules())
        person = self._check_signed(kept, issuer_sudo)
        self._check_person(issuer_sudo, person, id_value)

    @api.model
    def _check_signed(self, kept: KeptProof, issuer_sudo) -> ProvedPerson:
        now = self.env["spar.mapper.local"]._get_now()
        moment = now.replace(tzinfo=timezone.utc).timestamp()
        find_keys = issuer_sudo._build_find_keys()
        try:
            return check_proof(kept.proof, kept.change, kept.rules, find_keys, moment)
        except ProofRefused as error:
            raise OwnerProofRefused(_CODES.get(error.code, "proof_invalid")) from error
        except KeySetUnavailable as error:
            raise ServiceUnavailable("the issuer's keys cannot be fetched") from error

    @api.model
    def _check_person(self, issuer_sudo, person: ProvedPerson, id_value: str) -> None:
        try:
            requested = self.env["spar.id.type"]._identify(id_value)
        except InvalidIdentifier:
            raise OwnerProofRefused("proof_other_person") from None
        if not issuer_sudo._asserts(person.id_value, requested):
            raise OwnerProofRefused("proof_other_person")

    # === VERIFYING WHAT IS KEPT === #

    @api.model
    def _check_all(self) -> list[tuple[str, int, str]]:
        """Return what is wrong with any proof, with its event, or with the archive."""
        auditor = self.env["spar.audit"]._build_proof_auditor()
        found = self.env["spar.issuer.key"]._check()
        for table, check in (
            ("spar_owner_proof", auditor.check),
            ("spar_event", auditor.check_events),
        ):
            for after in range(0, self._get_last_id(table), _PIECE):
                found += check(after, after + _PIECE)
        return list(dict.fromkeys(found))

    @api.model
    def _get_last_id(self, table: str) -> int:
        query = SQL("SELECT coalesce(max(id), 0) FROM %s", SQL.identifier(table))
        return self.env.execute_query(query)[0][0]

    @api.model
    def _count_kept(self) -> int:
        """Return how many events have a proof."""
        return self.sudo().search_count([("event_id", "!=", False)])

    @api.model
    def _list_kept(self) -> list[tuple[str, str, datetime]]:
        """Return UUID, kind and time (UTC) of each event with a proof, in order."""
        events_sudo = self.sudo().search([("event_id", "!=", False)]).event_id
        return [
            (event.uuid, event.kind, event.happened_at)
            for event in events_sudo.sorted("id")
        ]

    @api.model
    def _export(self, event_uuid: str) -> tuple[str, list[str]]:
        """Return the proof of an event as a document, or what is wrong with it.

        The access is recorded in the history.
        """
        auditor = self.env["spar.audit"]._build_proof_auditor()
        stored = auditor.find(event_uuid)
        if stored is None:
            return "", [self.env._("This event has no owner's proof.")]
        problems = [problem for _table, _row, problem in auditor.examine(stored)]
        if problems:
            return "", problems
        if stored.sealed is None:
            return "", [
                self.env._("The proof was destroyed when the person was erased.")
            ]
        self.env["spar.mapper.local"]._save_reveal(
            _COMMAND, stored.mapping_id, stored.period_id
        )
        return json.dumps(auditor.export(stored), indent=1, sort_keys=True), []


#: The code of a refusal, by why the proof does not verify; the rest is not valid.
_CODES = {
    "nonce": "proof_other_change",
    "old_login": "proof_old",
    "expired": "proof_old",
    "audience": "proof_audience",
    "issuer": "proof_issuer",
    "key": "proof_key",
    "acr": "proof_not_strong_enough",
}
