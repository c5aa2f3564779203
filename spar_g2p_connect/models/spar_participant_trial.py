from dataclasses import dataclass, field, replace

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import openg2p_2, wire_json
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import RequestMessage
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import WireError
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import read_items

from ..exceptions import ProtocolError
from ..lib.caller import Caller
from ..lib.exchange import Exchange

PASSED, FAILED, NOT_REACHED = "passed", "failed", "not_reached"
_MAX_PROBLEMS = 10


@dataclass(frozen=True)
class Check:
    """One of the checks on a message, in the server's order, and its outcome."""

    name: str
    outcome: str
    text: str = ""


@dataclass
class Trial:
    """A message on its way through the checks."""

    caller: Caller
    action: str
    raw: bytes = field(repr=False)
    signature: str = field(repr=False)
    document: dict = field(default_factory=dict, repr=False)
    header: RequestHeader | None = None


class _Failed(Exception):
    """A check failed; the text is for the participant."""


class SparParticipant(models.Model):
    """The trial of a message: every check that the server makes, without any effect."""

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    def _try_message(self, action: str, raw: bytes, signature: str) -> list[Check]:
        """Return what the server would find in a message, check by check.

        The first check that fails is where the server would stop. Nothing is changed,
        kept or counted.
        """
        self.ensure_one()
        caller = self._build_caller(self._get_operations())
        trial, checks, failed = Trial(caller, action, raw, signature), [], False
        for name, check in self._get_checks():
            if failed:
                checks.append(Check(name, NOT_REACHED))
                continue
            try:
                text = check(trial) or ""
            except (_Failed, WireError, ProtocolError, MapperError) as error:
                failed, text = True, _get_words(error)
            checks.append(Check(name, FAILED if failed else PASSED, text))
        return checks

    @api.model
    def _get_checks(self) -> list:
        """Return ``(name, function of the trial)``, in the order of the server."""
        return [
            (self.env._("The participant may call"), self._check_state),
            (self.env._("The body can be read"), self._check_body),
            (self.env._("It is signed by the participant"), self._check_signature),
            (self.env._("The operation is granted"), self._check_operation),
            (self.env._("The header is complete"), self._check_header),
            (self.env._("Sender and receiver are right"), self._check_parties),
            (self.env._("Version and action are right"), self._check_action),
            (self.env._("The message is new"), self._check_known),
            (self.env._("Its time is right"), self._check_time),
            (self.env._("The message is complete"), self._check_message),
            (self.env._("The items can be read"), self._check_items),
        ]

    def _check_state(self, trial: Trial) -> None:
        if not self._may_call():
            raise _Failed(self.env._("It is not active."))

    def _check_body(self, trial: Trial) -> None:
        document = wire_json.parse(trial.raw)
        if not isinstance(document, dict):
            raise _Failed(self.env._("It is no JSON object."))
        trial.document = document

    def _check_signature(self, trial: Trial) -> str:
        if not trial.caller.needs_signature:
            return self.env._("Not wanted of this participant.")
        problem = self._diagnose_signature(trial.signature, trial.document, trial.raw)
        if problem:
            raise _Failed(problem)
        return ""

    def _check_operation(self, trial: Trial) -> None:
        trial.caller.check_operation(Operation(trial.action))

    def _check_header(self, trial: Trial) -> None:
        profile = trial.caller.profile
        if openg2p_2.is_request(trial.document) and profile.speaks_openg2p_2:
            server = self.env["spar.g2p.connect.server"]
            trial.document = server._read_openg2p_2(trial.action, trial.document)
        trial.header = RequestHeader.from_wire(trial.document, profile)

    def _check_parties(self, trial: Trial) -> None:
        trial.caller.check_sender(trial.header)
        trial.caller.check_receiver(trial.header)

    def _check_action(self, trial: Trial) -> None:
        trial.header.check(trial.action, trial.caller.profile)

    def _check_known(self, trial: Trial) -> None:
        caller = replace(trial.caller, participant_id=self.id)
        exchange = Exchange(caller, trial.action, trial.header, trial.document)
        answer = self.env["spar.message"].sudo()._find_answer(exchange)
        if answer is not None:
            raise _Failed(
                self.env._("It came before: its answer is sent again, nothing is done.")
            )

    def _check_time(self, trial: Trial) -> None:
        trial.header.check_freshness(trial.caller.profile)

    def _check_message(self, trial: Trial) -> None:
        RequestMessage.from_wire(
            trial.document, trial.header, trial.caller.profile, trial.caller.max_items
        )

    def _check_items(self, trial: Trial) -> str:
        message = RequestMessage.from_wire(
            trial.document, trial.header, trial.caller.profile, trial.caller.max_items
        )
        operation = Operation(trial.action)
        items = read_items(operation, message.items, trial.caller.profile)
        problems = [
            f"[{place}] {item.problem.text % (item.problem.values or {})}"
            for place, item in enumerate(items)
            if item.problem
        ]
        if problems:
            raise _Failed("; ".join(problems[:_MAX_PROBLEMS]))
        return self.env._("%(count)s items", count=len(items))


def _get_words(error: Exception) -> str:
    """Return the text of ``error`` for people; it contains no value of a message."""
    text = getattr(error, "text", "") or getattr(error, "description", "")
    return text or str(error)
