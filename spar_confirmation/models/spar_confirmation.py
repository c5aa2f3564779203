import json
import secrets
import time
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    ProposalRefused,
    SealBroken,
)
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    ChangeProposal,
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
    read_proposal,
    write_proposal,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    LinkRequest,
    ObjectionAnswer,
    ObjectionRequest,
    Outcome,
    Remedy,
    Result,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
    VisitRequest,
)
from odoo.addons.spar_mapper_connector.lib.oidc.authorization import (
    add_query,
    get_local_path,
)
from odoo.addons.spar_mapper_connector.lib.pages.browser import digest_secret
from odoo.addons.spar_mapper_connector.lib.proof_check import MAX_VISIT_SECONDS

from ..exceptions import AnotherBrowser, ConfirmationAltered, NoSuchConfirmation
from .spar_confirmation_client import PAGES_PATH

#: How long a proposal can be confirmed, and how long its result can be read.
LIFETIME, KEPT = timedelta(minutes=30), timedelta(days=1)
#: How long a visit can be of any use: until it is allowed, and from then on.
VISIT_KEPT = LIFETIME + timedelta(seconds=MAX_VISIT_SECONDS)
#: Open proposals of one person on the pages of this database.
MAX_OPEN = 5
PARTICIPANT, _STAFF = "participant:", "user:"
#: The problem of a change that is made while payments to the account are stopped.
PAYMENTS_STOPPED = "payments_stopped"
_OF_ADDRESSES = (LinkRequest, UpdateRequest, UnlinkRequest)
_REQUESTS = (*_OF_ADDRESSES, ObjectionRequest, UnlockRequest, VisitRequest)
#: Categories of characters that are not seen.
_HIDDEN = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
#: The longest name that the page shows.
MAX_NAME = 100


@dataclass(frozen=True)
class ProposedChange:
    """What was proposed, as it was sealed.

    :param token: the secret in the page's address
    :param portal_id: the portal that asks; None for pages of this database
    :param person: the reference to the person whom an officer of this database helps
    :param visitor: the ID of the person who allowed the visit, if it is one
    :param visited_at: when that was, in seconds since 1970
    """

    token: str
    proposal: ChangeProposal
    portal_id: int | None
    provider_ids: frozenset[int] | None
    id_type_ids: frozenset[int] | None
    person: str = ""
    visitor: str = field(default="", repr=False)
    visited_at: int = 0

    @property
    def is_visit(self) -> bool:
        """Return whether nothing is to be changed, but shown by the portal."""
        return isinstance(self.proposal.request, VisitRequest)


class SparConfirmation(models.Model):
    """A change that a portal has proposed, and what became of it.

    The proposal is sealed, and nobody can alter it: a portal that wants something else
    proposes anew, which is another page. Only digests of the secrets are stored: of the
    page's address, and of the session that opened it first.
    """

    _name = "spar.confirmation"
    _description = "Change that its owner is asked to confirm"
    _inherit = ["spar.sealed.storage"]
    _rec_name = "reference"
    _log_access = False
    _sealed_columns = ("sealed", "before_sealed")
    _digest_columns = ("token_digest", "browser_digest")
    _seal_purpose = "confirmation"
    _seal_prefix = ("spar.confirmation",)
    _seal_context_columns = ("reference", "caller")

    reference = fields.Char(required=True, readonly=True)
    caller = fields.Char(
        required=True, readonly=True, help="Who proposed the change: a reference."
    )
    state = fields.Selection(
        [("open", "Open"), ("decided", "Decided"), ("cancelled", "Cancelled")],
        required=True,
        readonly=True,
    )
    outcome = fields.Char(readonly=True)
    problem = fields.Char(readonly=True)
    change = fields.Char(string="Waiting change", readonly=True)
    remedy = fields.Char(readonly=True)
    case = fields.Char(readonly=True)
    is_visit = fields.Boolean(
        string="Visit",
        readonly=True,
        help="Nothing is changed: the person lets a portal show them their account.",
    )
    wrong_answers = fields.Integer(
        string="Wrong answers",
        readonly=True,
        help="How many times other digits were typed than those on the page.",
    )
    proposed_at = fields.Datetime(string="Proposed on", required=True, readonly=True)
    closed_at = fields.Datetime(string="Closed on", readonly=True)

    _reference_uniq = models.UniqueIndex("(reference)", "A reference is unique.")

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS spar_confirmation_token_digest_uniq
                   ON spar_confirmation (token_digest);
               CREATE INDEX IF NOT EXISTS spar_confirmation_caller_index
                   ON spar_confirmation (caller)"""
        )
        return result

    # === PROPOSING === #

    @api.model
    def _propose(self, call: CallContext, proposal: ChangeProposal) -> ConfirmationPage:
        """Store a proposal and return its page; raises ProposalRefused."""
        self._check_request(call, proposal)
        portal_sudo = self._find_portal(call, proposal.return_url)
        if not portal_sudo:
            address = self._get_own_address(proposal.return_url)
            proposal = replace(proposal, return_url=address)
        token, reference = secrets.token_urlsafe(32), uuid4().hex
        content = {
            "token": token,
            "proposal": write_proposal(proposal),
            "portal_id": portal_sudo.id or None,
            "provider_ids": _to_list(call.provider_ids),
            "id_type_ids": _to_list(call.id_type_ids),
            "person": call.on_behalf_of if proposal.officer else "",
        }
        is_visit = isinstance(proposal.request, VisitRequest)
        self._insert(reference, call.actor, token, content, is_visit)
        if not portal_sudo:
            self._drop_surplus(call.actor)
        return ConfirmationPage(self._build_url(token, proposal), reference)

    @api.model
    def _insert(
        self, reference: str, caller: str, token: str, content: dict, is_visit: bool
    ) -> None:
        self.env.cr.execute(
            """INSERT INTO spar_confirmation (reference, caller, state, proposed_at,
                                              is_visit, token_digest, sealed)
               VALUES (%s, %s, 'open', now() AT TIME ZONE 'UTC', %s, %s, %s)""",
            (
                reference,
                caller,
                is_visit,
                digest_secret(token),
                self._seal_value(json.dumps(content), reference, caller),
            ),
        )

    @api.model
    def _check_request(self, call: CallContext, proposal: ChangeProposal) -> None:
        """Refuse what the person could not review, or what might hit another change."""
        request = proposal.request
        if type(request) not in _REQUESTS:
            raise ProposalRefused("operation")
        self._check_officer(call, proposal)
        if isinstance(request, _OF_ADDRESSES):
            self._check_address(call, request)
            self._check_shown(request)
        elif getattr(request, "purpose", ""):
            raise ProposalRefused("purpose")
        if isinstance(request, VisitRequest):
            if not call.actor.startswith(PARTICIPANT):
                # Pages of this database show what their own sessions may see.
                raise ProposalRefused("operation")
        elif not self._is_type_allowed(request.id_value, call.id_type_ids):
            raise ProposalRefused("id")
        if not self._get_clients(proposal):
            raise ProposalRefused("provider")

    @api.model
    def _check_officer(self, call: CallContext, proposal: ChangeProposal) -> None:
        """Refuse an officer of this database who is not named, or not the caller.

        Officers fill in changes; "this was not me" and lifting the lock are for the
        person alone.
        """
        if not call.actor.startswith(PARTICIPANT):
            is_staff = call.actor.startswith(_STAFF)
            if proposal.officer != (call.actor if is_staff else ""):
                raise ProposalRefused("officer")
        is_personal = not isinstance(proposal.request, _OF_ADDRESSES)
        if proposal.officer and is_personal:
            raise ProposalRefused("operation")

    @api.model
    def _check_address(self, call: CallContext, request) -> None:
        """Refuse a change of whatever is in force, and an address nobody can read.

        The page shows an account number in large letters: it must not be a sentence.
        """
        is_first = type(request) is LinkRequest
        if not is_first and request.expected_version is None:
            raise ProposalRefused("version")
        if request.fa or isinstance(request, LinkRequest):
            strategies = self.env["spar.fa.strategy"]
            ((address, problem),) = strategies._examine_addresses([request.fa or ""])
            if address.type_id is None:
                raise ProposalRefused("address")
            is_refused = problem and (call.checks_addresses or problem.code == "part")
            if is_refused and isinstance(request, LinkRequest):
                raise ProposalRefused("address")

    @api.model
    def _check_shown(self, request) -> None:
        """Refuse what the page does not show, or what could pretend to be its text.

        The person confirms what they see, and nothing else.
        """
        if request.purpose:
            raise ProposalRefused("purpose")
        if request.asserted_at is not None:
            raise ProposalRefused("time")
        if not isinstance(request, LinkRequest):
            return
        details = request.details
        if details.additional_info:
            raise ProposalRefused("additional_info")
        texts = (details.name, details.phone_number, request.fa or "")
        if not all(map(_is_plain, texts)):
            raise ProposalRefused("text")

    @api.model
    def _is_type_allowed(self, id_value: str, id_type_ids) -> bool:
        """Return whether an ID is of one of these types; raises ProposalRefused.

        :param id_type_ids: None for all
        """
        type_id = self._get_id_type(id_value)
        return id_type_ids is None or type_id in id_type_ids

    @api.model
    def _get_id_type(self, id_value: str) -> int:
        try:
            type_id = self.env["spar.id.type"]._identify(id_value).type_id
        except InvalidIdentifier as error:
            raise ProposalRefused("id") from error
        if not type_id:
            raise ProposalRefused("id")
        return type_id

    @api.model
    def _find_portal(self, call: CallContext, return_url: str):
        """Return who asks: a listed portal, or none for the pages of this database.

        Raises ProposalRefused.
        """
        portals = self.env["spar.confirmation.portal"]
        if call.actor.startswith(PARTICIPANT):
            return portals._find(call.actor.removeprefix(PARTICIPANT), return_url)
        return portals.sudo()

    @api.model
    def _get_own_address(self, return_url: str) -> str:
        """Return the path of an address of this site; raises ProposalRefused.

        On another host of this site, such as that of staff, it is the whole address.
        """
        base, *others = self.env["spar.page.frame"]._get_own_base_urls()
        path = return_url.removeprefix(base)
        if _is_path(path):
            return path
        if any(_is_path(return_url.removeprefix(each)) for each in others):
            return return_url
        raise ProposalRefused("return_url")

    @api.model
    def _build_url(self, token: str, proposal: ChangeProposal) -> str:
        """Return the page's address, by way of the person's language.

        It is a path for pages on this host: the browser is already here.
        """
        path = f"{PAGES_PATH}/{token}"
        if proposal.language in self.env["spar.page.frame"]._get_spoken():
            path = add_query(f"/spar/language/{proposal.language}", {"back": path})
        if proposal.return_url.startswith("/"):
            return path
        return self.env["spar.page.frame"]._get_base_url() + path

    @api.model
    def _drop_surplus(self, caller: str) -> None:
        self.env.cr.execute(
            """DELETE FROM spar_confirmation WHERE id IN (
                   SELECT id FROM spar_confirmation
                    WHERE caller = %s AND state = 'open'
                    ORDER BY id DESC OFFSET %s)""",
            (caller, MAX_OPEN),
        )

    # === THE PAGE === #

    @api.model
    def _open_page(self, token: str, browser: str):
        """Return the proposal of a page's address, for the session that opened it.

        The first session that opens the page keeps it: a copied address shows nothing.
        Raises NoSuchConfirmation or AnotherBrowser.
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT id, browser_digest FROM spar_confirmation"
                " WHERE token_digest = %s FOR UPDATE",
                digest_secret(token),
            )
        )
        if not rows:
            raise NoSuchConfirmation()
        ((row_id, digest),) = rows
        if digest is None:
            self.env.cr.execute(
                "UPDATE spar_confirmation SET browser_digest = %s WHERE id = %s",
                (digest_secret(browser), row_id),
            )
        elif not secrets.compare_digest(bytes(digest), digest_secret(browser)):
            raise AnotherBrowser()
        confirmation_sudo = self.sudo().browse(row_id)
        if confirmation_sudo.state == "open":
            confirmation_sudo._check_portal()
        return confirmation_sudo

    def _get_content(self) -> ProposedChange:
        """Return what was proposed; raises ConfirmationAltered."""
        try:
            content = json.loads(self._read_sealed() or "null")
            proposal = read_proposal(content.pop("proposal"))
            for name in ("provider_ids", "id_type_ids"):
                ids = content[name]
                content[name] = None if ids is None else frozenset(ids)
            return ProposedChange(proposal=proposal, **content)
        except (SealBroken, LookupError, TypeError, AttributeError) as error:
            raise ConfirmationAltered() from error

    def _get_state(self) -> ConfirmationState:
        """Return the state now: what was left open for too long has expired."""
        is_old = self.proposed_at < fields.Datetime.now() - LIFETIME
        if self.state == "open" and is_old:
            return ConfirmationState.EXPIRED
        if self.state == "open" and not self._is_portal_listed():
            return ConfirmationState.CANCELLED
        return ConfirmationState(self.state)

    def _check_portal(self) -> None:
        """Raise NoSuchConfirmation where the portal that asks no longer may."""
        if not self._is_portal_listed():
            raise NoSuchConfirmation()

    def _is_portal_listed(self) -> bool:
        """Return whether the portal that asks is still one that may.

        Pages of this database need no listing.
        """
        portal_id = self._get_content().portal_id
        if portal_id is None:
            return True
        if not self.env["spar.mapper.local"]._is_active_caller(self.caller):
            return False
        portal_sudo = self.env["spar.confirmation.portal"].sudo().browse(portal_id)
        return bool(portal_sudo.exists().filtered("active")._filter_true())

    @api.model
    def _get_clients(self, proposal: ChangeProposal):
        """Return the store's clients at which the owner of the ID can log in.

        A visit names nobody: they are those of the provider that the portal names.
        """
        is_visit = isinstance(proposal.request, VisitRequest)
        type_id = None if is_visit else self._get_id_type(proposal.request.id_value)
        clients = self.env["spar.confirmation.client"]
        return clients._search_for(type_id, proposal.issuer)

    def _get_return_address(self) -> str:
        """Return where the browser goes afterwards, with the reference."""
        return_url = self._get_content().proposal.return_url
        return add_query(return_url, {"confirmation": self.reference})

    # === THE END === #

    def _lock(self) -> None:
        """Lock the proposal, waiting for another request of the same browser."""
        query = SQL("SELECT 1 FROM spar_confirmation WHERE id = %s FOR UPDATE", self.id)
        self.env.execute_query(query)
        self.invalidate_recordset()

    def _cancel(self) -> None:
        """End the proposal as its reader wants; what is decided stays decided."""
        self._lock()
        if self.state == "open":
            self.write({"state": "cancelled", "closed_at": fields.Datetime.now()})

    def _close(self, result: Result, before: str) -> None:
        """Store the store's decision, and sealed the address that was in force."""
        self.write(
            {
                "state": "decided",
                "outcome": result.outcome.value,
                "problem": result.precise_problem,
                "change": result.reference,
                "closed_at": fields.Datetime.now(),
            }
        )
        self._keep_address(before)

    def _keep_address(self, fa: str) -> None:
        """Store, sealed, the address that the decision was about; "" for none."""
        if fa:
            sealed = self._seal_value(fa, self.reference, self.caller)
            self.env.cr.execute(
                "UPDATE spar_confirmation SET before_sealed = %s WHERE id = %s",
                (sealed, self.id),
            )

    def _close_objection(self, answer: ObjectionAnswer, disputed: str) -> None:
        """Store what was done about an event that the person disputes.

        :param disputed: the address that the event is about
        """
        self._keep_address(disputed)
        self.write(
            {
                "state": "decided",
                "remedy": answer.remedy.value,
                "case": answer.reference,
                "closed_at": fields.Datetime.now(),
            }
        )

    # === VISITS === #

    def _close_visit(self, id_value: str) -> None:
        """Note who allowed the visit, and when: sealed, with what was proposed."""
        content = json.loads(self._read_sealed() or "null")
        content |= {"visitor": id_value, "visited_at": int(time.time())}
        self._write_sealed(json.dumps(content))
        self.write({"state": "decided", "closed_at": fields.Datetime.now()})

    @api.model
    def _is_visited(self, caller: str, reference: str, id_value: str) -> bool:
        """Return whether this caller may show the owner of an ID their address now.

        What counts is sealed: whose visit it is, and since when.
        """
        found_sudo = self._find_visit(caller, reference)
        try:
            if found_sudo.state != "decided" or not found_sudo._is_portal_listed():
                return False
            content = found_sudo._get_content()
        except ConfirmationAltered:
            return False
        is_over = time.time() >= content.visited_at + MAX_VISIT_SECONDS
        if is_over or not (content.is_visit and content.visitor):
            return False
        return self.env["spar.confirmation.login"]._is_same_id(
            content.visitor, id_value
        )

    @api.model
    def _end_visit(self, caller: str, reference: str) -> None:
        """Delete a visit of this caller; it may be over."""
        self._find_visit(caller, reference).unlink()

    @api.model
    def _find_visit(self, caller: str, reference: str):
        domain = [
            ("reference", "=", reference),
            ("caller", "=", caller),
            ("is_visit", "=", True),
        ]
        return self.sudo().search(domain)

    # === WHAT BECAME OF IT === #

    def _get_before(self) -> str:
        """Return the address that was in force before the decision, "" for none."""
        rows = self.env.execute_query(
            SQL("SELECT before_sealed FROM spar_confirmation WHERE id = %s", self.id)
        )
        sealed = rows[0][0]
        if sealed is None:
            return ""
        return self._unseal_value(sealed, self.reference, self.caller)

    @api.model
    def _get_confirmation(self, caller: str, reference: str) -> Confirmation:
        """Return what became of a proposal of this caller."""
        domain = [("reference", "=", reference), ("caller", "=", caller)]
        found = self.sudo().search(domain)
        if not found:
            return Confirmation(ConfirmationState.UNKNOWN)
        return Confirmation(
            found._get_state(),
            found._get_content().proposal.draft_id,
            Outcome(found.outcome) if found.outcome else None,
            found.problem or "",
            found.change or "",
            found._get_answer(),
        )

    def _get_answer(self) -> ObjectionAnswer | None:
        return ObjectionAnswer(Remedy(self.remedy), self.case) if self.remedy else None

    @api.model
    def _cron_forget_old(self) -> None:
        """Delete proposals whose result nobody asks for any more, and past visits."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            """DELETE FROM spar_confirmation
                WHERE proposed_at < %s OR is_visit AND proposed_at < %s""",
            (now - KEPT, now - VISIT_KEPT),
        )


def _is_plain(value: str) -> bool:
    """Return whether a text is short, and has no character that hides or turns others.

    A zero-width joiner belongs to words of several languages.
    """
    is_visible = all(
        unicodedata.category(char) not in _HIDDEN or char in "\u200c\u200d"
        for char in value
    )
    return len(value) <= MAX_NAME and is_visible


def _is_path(address: str) -> bool:
    return bool(address) and get_local_path(address, "") == address


def _to_list(ids: frozenset[int] | None) -> list[int] | None:
    return None if ids is None else sorted(ids)
