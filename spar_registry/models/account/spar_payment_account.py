from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress
from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

from ...exceptions import NoConsent, NoPayee, RegistryError
from ...lib.identity import RegistryIdentity
from ...lib.lookups import ACCOUNTS_OF_PERSON, DAY
from ...lib.outbox import NewEntry
from ...rows import insert_rows, take_ids

_USER = "spar_registry.group_programme_user"

#: The purposes of the seals and digests. They must never change.
ACCOUNT = "registry_account"


@dataclass(frozen=True)
class NewAccount:
    """An account that was collected from a person.

    :param fa: the address as it is transmitted, "" to remove the one in force
    :param formed: the address in its canonical form, None to remove
    """

    partner_id: int
    fa: str
    formed: CanonicalAddress | None
    collected_at: datetime


@dataclass(frozen=True)
class Target:
    """The person who is paid for another, and their ID; or why there is none."""

    payee_id: int = 0
    identity: RegistryIdentity | None = None
    obstacle: RegistryError | None = None


#: The columns of a collected account.
_COLUMNS = {
    "id": "int",
    "partner_id": "int",
    "programme_id": "int",
    "purpose": "text",
    "payee_id": "int",
    "operation": "text",
    "fa_type_id": "int",
    "provider_id": "int",
    "branch_id": "int",
    "origin": "text",
    "collected_at": "timestamp",
    "collected_by": "int",
    "state": "text",
    "identity_row": "int",
    "sealed": "bytea",
    "digest_a": "bytea",
    "digest_b": "bytea",
}


class SparPaymentAccount(models.Model):
    """An account that somebody collected from a person, on its way to the mapper.

    It is not the truth: the mapper is. Once the mapper has confirmed it, the account
    itself is destroyed, and its keyed digest stays: it shows whether the mapper still
    resolves to it.
    """

    _name = "spar.payment.account"
    _description = "Collected account"
    _inherit = ["spar.of.person", "spar.sealed.storage"]
    _order = "collected_at desc, id desc"
    _rec_name = "masked"
    _digest_columns = ("digest_a", "digest_b", "drift_key")
    _seal_purpose = ACCOUNT
    _seal_prefix = (ACCOUNT,)
    _seal_context_columns = ("id", "partner_id", "purpose")

    partner_id = fields.Many2one(
        "res.partner", string="Person", required=True, index=True, ondelete="restrict"
    )
    programme_id = fields.Many2one("spar.programme", index=True, ondelete="restrict")
    purpose = fields.Char(readonly=True, default="")
    payee_id = fields.Many2one("res.partner", readonly=True, string="Paid to")
    operation = fields.Selection(
        [("set", "Set the address"), ("remove", "Remove the address")],
        required=True,
        default="set",
        readonly=True,
    )
    fa_type_id = fields.Many2one("spar.fa.type", string="Kind", readonly=True)
    provider_id = fields.Many2one("spar.fsp", readonly=True)
    branch_id = fields.Many2one("spar.fsp.branch", readonly=True)
    masked = fields.Char(string="Account", compute="_compute_masked")
    origin = fields.Selection(
        [
            ("staff", "Entered by staff"),
            ("field", "Collected in the field"),
            ("portal", "Entered by the person"),
            ("file", "Loaded from a file"),
            ("api", "Sent by another system"),
            ("move", "Moved from an ID that was replaced"),
        ],
        required=True,
        default="staff",
        readonly=True,
    )
    collected_at = fields.Datetime(
        string="Collected at",
        required=True,
        default=fields.Datetime.now,
        readonly=True,
    )
    collected_by = fields.Many2one(
        "res.users",
        readonly=True,
        default=lambda self: self.env.user,
        string="Collected by",
    )
    state = fields.Selection(
        [
            ("draft", "Not sent"),
            ("queued", "Waiting to be sent"),
            ("parked", "Waiting for approval"),
            ("confirmed", "Confirmed"),
            ("superseded", "Superseded"),
            ("conflict", "Conflict"),
            ("failed", "Failed"),
            ("given_up", "Given up"),
        ],
        required=True,
        default="draft",
        readonly=True,
        index=True,
    )
    reason = fields.Char(readonly=True, string="Code")
    reason_text = fields.Char(compute="_compute_reason_text", string="Reason")
    entry_ids = fields.One2many("spar.outbox.entry", "account_id")
    task_id = fields.Many2one(
        "spar.registry.task",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The move of which this account is a step.",
    )
    #: The row of the ID to which it was sent, of whatever model.
    identity_row = fields.Integer(readonly=True, aggregator=None, string="Identity row")

    # === COLLECTING === #

    @api.model
    def _collect(self, partner, fa: str, **values):
        """Return a new collected account, with the address ``fa`` sealed.

        :param fa: the address as it is transmitted; "" to remove the one in force
        :param values: ``programme_id``, ``origin``, ``collected_at``, other fields

        Raises UserError for an address that the directory refuses, and AccessError for
        people whom the user does not see.
        """
        formed = self._read_address(fa) if fa else None
        collected_at = values.pop("collected_at", None) or fields.Datetime.now()
        new = NewAccount(partner.id, fa, formed, collected_at)
        programme_id = values.pop("programme_id", False)
        programme = self.env["spar.programme"].browse(programme_id or ())
        origin = values.pop("origin", "staff")
        account = self._collect_batch([new], programme, origin)
        account.sudo().write(values)
        return account

    @api.model
    def _collect_batch(
        self,
        collected: list[NewAccount],
        programme,
        origin: str = "staff",
        targets: list[Target] | None = None,
    ):
        """Return new accounts, in the same order, each with its address sealed.

        It takes a constant number of statements. The addresses were examined before.
        Raises AccessError, KeyringUnavailable or KeyringMismatch.

        :param targets: who is paid, to queue the accounts as well; without obstacles
        """
        self._check_collecting([new.partner_id for new in collected])
        purpose = programme.sudo().purpose or ""
        row_ids = take_ids(self.env, self._table, len(collected))
        known = targets or [Target()] * len(collected)
        seal = self._build_sealer(purpose)
        rows = [
            (
                row_id,
                new.partner_id,
                programme.id or None,
                purpose,
                target.payee_id or None,
                "set" if new.formed else "remove",
                *_get_place(new.formed),
                origin,
                new.collected_at,
                self.env.uid,
                "queued" if targets else "draft",
                target.identity.row_id if target.identity else None,
                *seal(row_id, new),
            )
            for row_id, new, target in zip(row_ids, collected, known, strict=True)
        ]
        insert_rows(self.env, self._table, _COLUMNS, rows)
        self.env["res.partner"].invalidate_model(["spar_account_ids"])
        if targets:
            self.env["spar.outbox.entry"]._add_batch(
                [
                    NewEntry(
                        row_id,
                        new.partner_id,
                        programme.id,
                        purpose,
                        new.fa,
                        target.identity,
                    )
                    for row_id, new, target in zip(
                        row_ids, collected, targets, strict=True
                    )
                    if target.identity
                ]
            )
        return self.browse(row_ids)

    @api.model
    def _build_sealer(self, purpose: str) -> Callable[[int, NewAccount], tuple]:
        """Return a function that seals an account, and returns its digests with it."""
        keyring = self.env["spar.keyring"]._open(for_write=True)

        def seal(row_id: int, new: NewAccount) -> tuple:
            if not new.formed:
                return None, None, None
            context = self._build_seal_context(row_id, new.partner_id, purpose)
            digests = keyring.digests(ACCOUNT, new.formed.key)
            sealed = keyring.seal(ACCOUNT, new.fa, context)
            return sealed, digests.get("a"), digests.get("b")

        return seal

    @api.model
    def _check_collecting(self, partner_ids: list[int]) -> None:
        """Raise AccessError unless the user may collect accounts of these people."""
        if not self.env.su and not self.env.user.has_group(_USER):
            raise AccessError(
                self.env._(
                    "You do not have permission to do this. Ask an administrator."
                )
            )
        people = self.env["res.partner"].browse(list(dict.fromkeys(partner_ids)))
        people.check_access("read")

    @api.model
    def _read_address(self, fa: str) -> CanonicalAddress:
        """Return the canonical form of a valid address; raises UserError."""
        (formed,) = self.env["spar.fa.strategy"]._canonicalise_addresses([fa])
        if formed.problem:
            raise UserError(self._get_address_refusal(fa, formed))
        return formed

    @api.model
    def _get_address_refusal(self, fa: str, formed: CanonicalAddress) -> str:
        """Return why an address cannot be used, and what to do."""
        strategies = self.env["spar.fa.strategy"]
        values = strategies._get_problem_values(formed.to_address(fa), formed.problem)
        result = Result(
            Outcome.INVALID_FA, problem=formed.problem.code, problem_values=values
        )
        return self.env["spar.staff.answers"]._get_refusal(result)

    @api.model
    def _find_unchanged(self, programme, collected: list[NewAccount]) -> set[int]:
        """Return the places of accounts that were collected before.

        It is the last one of the person, or was collected at the same time.
        """
        keyring = self.env["spar.keyring"]._open()
        column = SQL.identifier(f"digest_{keyring.roles.read_column}")
        digest = keyring.digester(ACCOUNT)
        self.flush_model(["collected_at", "state"])
        query = SQL(
            """
            SELECT wanted.place
              FROM unnest(%(people)s::int[], %(digests)s::bytea[],
                          %(times)s::timestamp[])
                   WITH ORDINALITY AS wanted (partner_id, digest, at, place)
              JOIN LATERAL (
                   SELECT %(column)s AS digest
                     FROM spar_payment_account a
                    WHERE a.partner_id = wanted.partner_id AND a.purpose = %(purpose)s
                      AND a.state <> 'given_up'
                    ORDER BY a.collected_at DESC, a.id DESC LIMIT 1
                   ) AS newest ON TRUE
             WHERE newest.digest = wanted.digest
                OR EXISTS (SELECT FROM spar_payment_account a
                            WHERE a.partner_id = wanted.partner_id
                              AND a.purpose = %(purpose)s
                              AND a.%(column)s = wanted.digest
                              AND a.collected_at = wanted.at)
            """,
            people=[new.partner_id for new in collected],
            digests=[digest(new.formed.key) for new in collected if new.formed],
            times=[new.collected_at for new in collected],
            column=column,
            purpose=programme.sudo().purpose or "",
        )
        return {place - 1 for (place,) in self.env.execute_query(query)}

    @api.model
    def _find_often_loaded(self, partner_ids: list[int]) -> set[int]:
        """Return people of whom this user loaded enough accounts in 24 hours."""
        self.flush_model(["collected_by", "origin"])
        query = SQL(
            """SELECT partner_id FROM spar_payment_account
                WHERE partner_id = ANY(%s) AND collected_by = %s AND origin = 'file'
                  AND create_date > %s
                GROUP BY partner_id HAVING count(*) >= %s""",
            partner_ids,
            self.env.uid,
            fields.Datetime.now() - DAY,
            ACCOUNTS_OF_PERSON,
        )
        return {row_id for (row_id,) in self.env.execute_query(query)}

    # === DISPLAY === #

    def _compute_masked(self):
        """Open the accounts for this display only; empty once they are destroyed."""
        try:
            texts = self._read_sealed_rows()
        except ServiceUnavailable:
            self.masked = self.env._("Encryption keys unavailable")
            return
        words = self.env["spar.masked.words"]._write_addresses(list(texts.values()))
        masks = dict(zip(texts, words, strict=True))
        for account in self:
            account.masked = masks.get(account.id, "")

    @api.depends("partner_id")
    def _compute_display_name(self):
        """Name an account that is destroyed after the person."""
        for account in self:
            account.display_name = account.masked or self.env._(
                "Account of %(person)s", person=account.partner_id.display_name
            )

    @api.depends("reason", "entry_ids.given_up_reason")
    def _compute_reason_text(self):
        entries = self.env["spar.outbox.entry"]
        for account in self:
            given_up = account.entry_ids.filtered("given_up_reason")[-1:]
            reason = entries._get_reason_text(account.reason or "")
            account.reason_text = given_up.given_up_reason or reason

    # === SENDING === #

    def action_send(self):
        """Queue the accounts: each is sent as soon as the mapper is available.

        One that failed is tried again in the outbox, where its turn is kept.
        """
        for account in self.filtered(lambda one: one.state == "draft"):
            try:
                account._queue()
            except RegistryError as error:
                raise UserError(self._get_refusal(error.code)) from error

    def action_retry(self):
        """Send what failed again, now."""
        self.entry_ids.action_retry()

    def action_open_give_up(self):
        """Ask for the reason to give up."""
        return self.entry_ids.action_open_give_up()

    def action_open_person(self):
        """Open the person from whom the account was collected."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.partner_id.display_name,
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "view_mode": "form",
        }

    def _queue(self) -> None:
        """Put the account into the outbox; raises RegistryError."""
        self.ensure_one()
        self.check_access("read")
        programme = self.programme_id
        if self.operation == "remove":
            self._queue_for(*self.partner_id._spar_get_last_paid(programme))
            return
        target = self._find_targets(self.partner_id, programme)[self.partner_id.id]
        if target.obstacle:
            raise target.obstacle
        payee = self.partner_id.browse(target.payee_id)
        self._queue_for(payee, target.identity)

    def _queue_for(self, payee, identity: RegistryIdentity, base=None) -> None:
        """Put the account into the outbox for an ID of ``payee``.

        :param base: the digest of the address that is expected to be in force, b"" for
            none; another one is a conflict. None if any may be replaced.
        """
        self.ensure_one()
        account_sudo = self.sudo()
        account_sudo.write(
            {
                "payee_id": payee.id,
                "identity_row": identity.row_id,
                "state": "queued",
                "reason": False,
            }
        )
        self.env["spar.outbox.entry"]._add(account_sudo, identity, base)

    @api.model
    def _is_paid_by(self, programme, payee, identity: RegistryIdentity) -> bool:
        """Return whether ``programme`` pays ``payee`` by this ID."""
        domain = [
            ("programme_id", "=", programme.id),
            ("payee_id", "=", payee.id),
            ("identity_row", "=", identity.row_id),
            ("operation", "=", "set"),
            ("state", "=", "confirmed"),
        ]
        accounts_sudo = self.sudo()
        return bool(accounts_sudo.search_count(domain, limit=1))

    def _get_confirmed_key(self) -> bytes | None:
        """Return the digest of the address, b"" for a removal.

        None if it was made with a key that is no longer searched.
        """
        self.ensure_one()
        if self.operation == "remove":
            return b""
        return self._fetch_confirmed_keys().get(self.id)

    def _fetch_confirmed_keys(self) -> dict[int, bytes]:
        """Return the digests of these accounts' addresses, by row id."""
        column = self.env["spar.keyring"]._open().roles.read_column
        query = SQL(
            "SELECT id, %(column)s FROM spar_payment_account"
            " WHERE id = ANY(%(ids)s) AND %(column)s IS NOT NULL",
            column=SQL.identifier(f"digest_{column}"),
            ids=list(self.ids),
        )
        return {row_id: bytes(key) for row_id, key in self.env.execute_query(query)}

    @api.model
    def _find_targets(self, people, programme) -> dict[int, Target]:
        """Return who is paid for each person and by which ID, or the obstacle.

        It takes a constant number of statements.
        """
        consented = self.env["spar.consent"]._find_consented(programme, people.ids)
        payees = programme._find_payees(people)
        identities = people.browse(set(payees.values()))._spar_identities()
        type_ids = programme.id_type_ids.ids
        targets = {}
        for person_id in people.ids:
            payee_id = payees.get(person_id)
            if person_id not in consented:
                targets[person_id] = Target(obstacle=NoConsent())
            elif not payee_id:
                targets[person_id] = Target(obstacle=NoPayee())
            else:
                targets[person_id] = self._choose_target(
                    payee_id, identities.get(payee_id, []), type_ids
                )
        return targets

    @api.model
    def _choose_target(self, payee_id: int, identities: list, type_ids) -> Target:
        people = self.env["res.partner"]
        try:
            identity = people._spar_choose_identity(identities, type_ids)
        except RegistryError as error:
            return Target(obstacle=error)
        return Target(payee_id, identity)

    def _get_refusal(self, code: str) -> str:
        """Return why an account cannot be sent, and what to do."""
        texts = {
            "no_consent": self.env._(
                "The programme requires the person's consent. Record it first."
            ),
            "no_payee": self.env._(
                "Nobody can be paid for this person: name a head of the household or a "
                "recipient."
            ),
            "no_identity": self.env._(
                "The person who is paid has no ID, or only expired ones. Add an ID "
                "first."
            ),
            "shared_identity": self.env._(
                "Another person has the same ID. Correct one of them first."
            ),
            "not_of_programme": self.env._(
                "This person is not in the programme, and the programme has not paid "
                "them. Choose the programme that pays this person, or ask the "
                "registry's office."
            ),
            "unverified_identity": self.env._(
                "The programme has not paid by this person's ID, and no colleague has "
                "verified it. Ask a colleague to compare it with the document, and to "
                "tick Verified on the person's form."
            ),
        }
        return texts.get(code) or self.env._("This account cannot be sent.")


def _get_place(formed: CanonicalAddress | None) -> tuple[int | None, ...]:
    """Return the ids of the kind, the provider and the branch of an address."""
    if formed is None or formed.known is None:
        return None, None, None
    return formed.known.type_id, formed.provider_id, formed.branch_id
