from dataclasses import dataclass, field

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import openg2p_2, wire_json
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import RequestMessage
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import WireError
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import read_items

from ...exceptions import ProtocolError
from ...lib.caller import Caller
from ...lib.error_texts import get_text
from ...lib.exchange import Exchange

PASSED, FAILED, NOT_REACHED = "passed", "failed", "not_reached"
_MAX_PROBLEMS = 10


@dataclass(frozen=True)
class TrialCheck:
    """One of the checks on a message, in the server's order, and its outcome."""

    name: str
    outcome: str
    text: str = ""


@dataclass
class TrialMessage:
    """A message on its way through the checks."""

    participant: models.BaseModel
    caller: Caller
    action: str
    raw: bytes = field(repr=False)
    signature: str = field(repr=False)
    document: dict = field(default_factory=dict, repr=False)
    header: RequestHeader | None = None


class _CheckFailed(Exception):
    """A check failed; the text is for the participant."""


class SparG2pConnectTrial(models.AbstractModel):
    """The trial of a message: every check that the server makes, without any effect."""

    _name = "spar.g2p.connect.trial"
    _description = "Trial of a message"

    @api.model
    def _try_message(
        self, participant, action: str, raw: bytes, signature: str
    ) -> list[TrialCheck]:
        """Return what the server would find in a participant's message, by check.

        The first check that fails is where the server would stop. Nothing is changed,
        stored or counted.
        """
        participant.ensure_one()
        caller = participant._build_caller()
        trial = TrialMessage(participant, caller, action, raw, signature)
        checks, failed = [], False
        for name, check in self._get_checks():
            if failed:
                checks.append(TrialCheck(name, NOT_REACHED))
                continue
            try:
                text = check(trial) or ""
            except (_CheckFailed, WireError, ProtocolError, MapperError) as error:
                failed, text = True, get_text(error)
            checks.append(TrialCheck(name, FAILED if failed else PASSED, text))
        return checks

    @api.model
    def _get_checks(self) -> list:
        """Return ``(name, function of the trial)``, in the order of the server."""
        return [
            (self.env._("The participant may call"), self._check_state),
            (self.env._("The body is a JSON object"), self._check_body),
            (self.env._("The signature is valid"), self._check_signature),
            (self.env._("The operation is granted"), self._check_operation),
            (self.env._("The header is complete"), self._check_header),
            (self.env._("Sender and receiver are correct"), self._check_parties),
            (self.env._("Version and action are correct"), self._check_action),
            (self.env._("The message is new"), self._check_new),
            (self.env._("The timestamp is accepted"), self._check_time),
            (self.env._("The message is complete"), self._check_message),
            (self.env._("The items can be read"), self._check_items),
        ]

    def _check_state(self, trial: TrialMessage) -> None:
        if not trial.participant._may_call():
            raise _CheckFailed(self.env._("The participant is not active."))

    def _check_body(self, trial: TrialMessage) -> None:
        document = wire_json.parse(trial.raw)
        if not isinstance(document, dict):
            raise _CheckFailed(self.env._("The body is not a JSON object."))
        trial.document = document

    def _check_signature(self, trial: TrialMessage) -> str:
        if not trial.caller.needs_signature:
            return self.env._("Not required of this participant.")
        problem = self.env["spar.g2p.connect.authentication"]._diagnose_signature(
            trial.participant.id, trial.signature, trial.document, trial.raw
        )
        if problem:
            raise _CheckFailed(problem)
        return ""

    def _check_operation(self, trial: TrialMessage) -> None:
        trial.caller.check_operation(Operation(trial.action))

    def _check_header(self, trial: TrialMessage) -> None:
        profile = trial.caller.profile
        if openg2p_2.is_request(trial.document) and profile.speaks_openg2p_2:
            converter = self.env["spar.g2p.connect.openg2p"]
            trial.document = converter._read_message(trial.action, trial.document)
        trial.header = RequestHeader.from_wire(trial.document, profile)

    def _check_parties(self, trial: TrialMessage) -> None:
        trial.caller.check_sender(trial.header)
        trial.caller.check_receiver(trial.header)

    def _check_action(self, trial: TrialMessage) -> None:
        trial.header.check(trial.action, trial.caller.profile)

    def _check_new(self, trial: TrialMessage) -> None:
        exchange = Exchange(trial.caller, trial.action, trial.header, trial.document)
        answer = self.env["spar.message"].sudo()._find_answer(exchange)
        if answer is not None:
            raise _CheckFailed(
                self.env._(
                    "Already received. The stored answer is returned; nothing runs "
                    "again."
                )
            )

    def _check_time(self, trial: TrialMessage) -> None:
        trial.header.check_freshness(trial.caller.profile)

    def _check_message(self, trial: TrialMessage) -> None:
        RequestMessage.from_wire(
            trial.document, trial.header, trial.caller.profile, trial.caller.max_items
        )

    def _check_items(self, trial: TrialMessage) -> str:
        message = RequestMessage.from_wire(
            trial.document, trial.header, trial.caller.profile, trial.caller.max_items
        )
        operation = Operation(trial.action)
        items = read_items(operation, message.items, trial.caller.profile)
        problems = [
            f"[{index}] {item.problem.text % (item.problem.values or {})}"
            for index, item in enumerate(items)
            if item.problem
        ]
        if problems:
            raise _CheckFailed("; ".join(problems[:_MAX_PROBLEMS]))
        return self.env._("%(count)s items", count=len(items))
