import json
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.fa_reader import Address
from odoo.addons.spar_mapper_connector.exceptions import SealBroken

from ..exceptions import AnswerRefused, DraftClosed, DraftOutdated, NoSuchDraft
from ..lib import steps, typing
from ..lib.steps import Answers

#: How long a draft is kept for a person who lost the connection.
LIFETIME = timedelta(hours=24)
#: How many places one page shows; with more, the person types another word.
MAX_PLACES_SHOWN = 20


class SparDraft(models.Model):
    """A change that a person intends to make, kept between pages with sealed answers.

    A draft belongs to one person, or to the officer who helps one. Each answer makes a
    new version, and what is sent with an older one is refused: a double click, the back
    button or a second window changes nothing by accident.
    """

    _name = "spar.draft"
    _description = "Draft of a beneficiary"
    _inherit = ["spar.sealed.storage"]
    _rec_name = "uuid"
    _seal_purpose = "self-service draft"
    _seal_prefix = ("self-service draft",)
    # Answers of an older version do not open.
    _seal_context_columns = ("uuid", "version")

    uuid = fields.Char(required=True, readonly=True)
    owner_key = fields.Char(
        string="Owner key", readonly=True, index=True, help="The person's reference."
    )
    officer_id = fields.Many2one("res.users", readonly=True, ondelete="cascade")
    operation = fields.Selection(
        [("set", "Choose an address"), ("remove", "Remove the address")],
        required=True,
        readonly=True,
    )
    version = fields.Integer(required=True, readonly=True, default=1)
    base_version = fields.Integer(
        string="Base version",
        readonly=True,
        help="The version of the address that the person saw. 0: none.",
    )
    state = fields.Selection(
        [("open", "Open"), ("done", "Closed")],
        required=True,
        readonly=True,
        default="open",
    )
    outcome = fields.Char(readonly=True)
    problem = fields.Char(readonly=True)
    closed_at = fields.Datetime(string="Closed on", readonly=True)

    _uuid_uniq = models.UniqueIndex(
        "(uuid)", "The reference of a draft must be unique."
    )
    _one_owner = models.Constraint(
        "CHECK ((owner_key IS NULL) <> (officer_id IS NULL))",
        "A draft belongs to a person or to an officer.",
    )

    # === SEALED ANSWERS === #

    def _get_answers(self) -> Answers:
        """Return the answers given so far; none where they cannot be unsealed."""
        try:
            text = self._read_sealed()
        except SealBroken:
            return Answers()
        return Answers.from_json(json.loads(text)) if text else Answers()

    def _set_answers(self, answers: Answers) -> None:
        """Store the answers as a new version."""
        self.ensure_one()
        self.version += 1
        self._write_sealed(json.dumps(answers.to_json()))

    # === LIFE CYCLE === #

    @api.model
    def _open_draft(self, operation: str, base_version: int, **owner):
        """Open a draft of ``owner_key`` or ``officer_id``, closing their older ones."""
        domain = [(name, "=", value) for name, value in owner.items()]
        self.search([*domain, ("state", "=", "open")])._close("abandoned")
        values = {"uuid": uuid4().hex, "operation": operation, **owner}
        return self.create({**values, "base_version": base_version})

    @api.model
    def _find_draft(self, uuid: str, **owner):
        """Return the draft of ``owner_key`` or ``officer_id``; raises NoSuchDraft."""
        since = fields.Datetime.now() - LIFETIME
        domain = [("uuid", "=", uuid), ("create_date", ">=", since)]
        draft = self.search(domain + [(k, "=", value) for k, value in owner.items()])
        if not draft:
            raise NoSuchDraft()
        return draft

    @api.model
    def _find_unfinished(self, owner_key: str):
        """Return the person's open draft with at least one answer, or none."""
        return self.search(
            [
                ("owner_key", "=", owner_key),
                ("state", "=", "open"),
                ("operation", "=", "set"),
                ("version", ">", 1),
                ("create_date", ">=", fields.Datetime.now() - LIFETIME),
            ],
            limit=1,
        )

    def _lock_version(self, version: int) -> None:
        """Lock the draft for a change of this version.

        Raises DraftClosed, and DraftOutdated for any version but the latest.
        """
        # This waits, unlike Odoo's own lock, so that a double click's second request is
        # answered, too.
        query = SQL("SELECT id FROM spar_draft WHERE id = %s FOR UPDATE", self.id)
        self.env.execute_query(query)
        self.invalidate_recordset()
        if self.state != "open":
            raise DraftClosed()
        if self.version != version:
            raise DraftOutdated()

    def _close(self, outcome: str, problem: str = "") -> None:
        """Close drafts and erase their answers."""
        self.write(
            {
                "state": "done",
                "outcome": outcome,
                "problem": problem,
                "closed_at": fields.Datetime.now(),
            }
        )
        self._write_sealed(None)

    @api.autovacuum
    def _gc_drafts(self):
        """Delete drafts that have expired."""
        self.search([("create_date", "<", fields.Datetime.now() - LIFETIME)]).unlink()

    # === QUESTIONS === #

    def _get_steps(self, answers: Answers) -> list[str]:
        """Return the questions of the chosen kind; for a removal only the last."""
        if self.operation == "remove":
            return [steps.REVIEW]
        kinds = self._get_type(answers).part_ids.mapped("kind")
        if not kinds:
            return [steps.KIND]
        provider_sudo = self._get_provider(answers)
        if provider_sudo and not provider_sudo.has_branches:
            kinds = [kind for kind in kinds if kind != "branch"]
        return steps.get_steps(kinds)

    def _get_types(self):
        """Return the kinds of address that can be chosen."""
        domain = [("strategy_ids.is_default", "=", True)]
        return self.env["spar.fa.type"].sudo().search(domain)

    def _get_type(self, answers: Answers):
        return self._get_types().filtered(lambda t: t.id == answers.type_id)

    def _get_provider(self, answers: Answers):
        """Return the chosen provider, while it can be chosen."""
        provider_sudo = self.env["spar.fsp"].sudo().browse(answers.provider_id or ())
        kind = self._get_type(answers).provider_kind
        return provider_sudo.exists().filtered(
            lambda p: p.active and not p.is_closed and p.kind == kind
        )

    def _get_branch(self, answers: Answers):
        """Return the chosen branch, while it can be chosen."""
        branch_sudo = self.env["spar.fsp.branch"].sudo().browse(answers.branch_id or ())
        provider_sudo = self._get_provider(answers)
        return branch_sudo.exists().filtered(
            lambda branch: branch.active
            and not branch.is_closed
            and branch.provider_id == provider_sudo
        )

    def _get_typed_parts(self, answers: Answers):
        """Return the parts that are typed."""
        parts = self._get_type(answers).part_ids
        return parts.filtered(lambda part: part.kind == "text").sorted("sequence")

    def _find_providers(self, answers: Answers, words: str):
        """Return providers of the chosen kind that match the words.

        Without words, these are the first ones, those of the own country before all
        others.
        """
        domain = Domain("kind", "=", self._get_type(answers).provider_kind)
        domain &= Domain("is_closed", "=", False)
        if typing.clean(words):
            return self._find_places("spar.fsp", words, domain)
        return self.env["spar.fsp"].sudo()._list_first(domain, MAX_PLACES_SHOWN + 1)

    def _find_branches(self, answers: Answers, words: str):
        """Return branches of the chosen provider that match the words."""
        domain = Domain("provider_id", "=", self._get_provider(answers).id)
        domain &= Domain("is_closed", "=", False)
        return self._find_places("spar.fsp.branch", words, domain)

    @api.model
    def _find_places(self, model: str, words: str, domain: Domain):
        """Return at most ``MAX_PLACES_SHOWN`` places, plus one where there are more."""
        places_sudo, words = self.env[model].sudo(), typing.clean(words)
        if words:
            return places_sudo.browse(
                places_sudo._find(words, domain, MAX_PLACES_SHOWN + 1)
            )
        return places_sudo.search(domain, limit=MAX_PLACES_SHOWN + 1, order="name, id")

    # === ANSWERS === #

    def _answer_type(self, version: int, type_id: int) -> None:
        answers = self._begin_answer(version, lambda a: a.type_id == type_id)
        if answers is None:
            return
        if type_id not in self._get_types().ids:
            self._refuse("type", self.env._("Choose one of these."))
        answers.set_type(type_id)
        self._set_answers(answers)

    def _answer_provider(self, version: int, provider_id: int) -> None:
        answers = self._begin_answer(version, lambda a: a.provider_id == provider_id)
        if answers is None:
            return
        answers.set_provider(provider_id)
        if not self._get_provider(answers):
            self._refuse("provider", self._get_gone_text("spar.fsp", provider_id))
        self._set_answers(answers)

    def _answer_branch(self, version: int, branch_id: int) -> None:
        answers = self._begin_answer(version, lambda a: a.branch_id == branch_id)
        if answers is None:
            return
        answers.branch_id = branch_id
        if not self._get_branch(answers):
            self._refuse("branch", self._get_gone_text("spar.fsp.branch", branch_id))
        self._set_answers(answers)

    def _answer_details(self, version: int, typed: dict, again: dict) -> None:
        """Store what was typed in canonical form, if both entries are the same.

        Raises AnswerRefused with what is wrong, by part.
        """
        answers = self._begin_answer(
            version,
            lambda a: bool(a.parts)
            and self._canonicalise_texts(a, typed)[0] == a.parts,
        )
        if answers is None:
            return
        parts, problems = self._canonicalise_texts(answers, typed)
        repeated, _problems = self._canonicalise_texts(answers, again)
        for key in parts.keys() - problems.keys():
            if parts[key] != repeated[key]:
                problems[f"{key}_again"] = self.env._(
                    "This is not the same as above. Check both."
                )
        if problems:
            raise AnswerRefused(problems)
        answers.parts = parts
        self._set_answers(answers)

    def _begin_answer(self, version: int, is_kept) -> Answers | None:
        """Lock the draft and return its answers; None where this one is stored.

        Raises DraftClosed; DraftOutdated when another answer was given meanwhile.
        """
        try:
            self._lock_version(version)
        except DraftOutdated:
            if is_kept(self._get_answers()):
                return None  # the second request of a double click
            raise
        return self._get_answers()

    @api.model
    def _refuse(self, key: str, problem: str) -> None:
        raise AnswerRefused({key: problem})

    @api.model
    def _get_gone_text(self, model: str, record_id: int) -> str:
        """Return why a provider or a branch cannot be chosen: closed or taken over."""
        record_sudo = self.env[model].sudo().browse(record_id).exists()
        return record_sudo._get_closed_text() or self.env._(
            "This one cannot be chosen any more."
        )

    # === CHECKS === #

    def _canonicalise_texts(
        self, answers: Answers, typed: dict[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return what was typed in canonical form, and what is wrong, by part.

        A number means the same however it is grouped, where grouping is allowed, and
        whichever digits a keyboard writes; problems are described in the person's
        language.
        """
        cleaned = {key: typing.clean(value) for key, value in typed.items()}
        bare = {key: typing.compact(value) for key, value in cleaned.items()}
        formed, problems = self._canonicalise_parts(answers, bare)
        if problems:
            as_typed, still = self._canonicalise_parts(answers, cleaned)
            formed |= {key: as_typed[key] for key in problems}
            problems = {key: still[key] for key in problems if key in still}
        return formed, problems

    def _canonicalise_parts(
        self, answers: Answers, parts: dict[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        holder = self._get_provider(answers)._get_holder(self._get_branch(answers))
        formed, problems = self._get_type(answers)._canonicalise_parts(parts, holder)
        keys = self._get_typed_parts(answers).mapped("key")
        return (
            {key: formed[key] for key in keys},
            {key: problems[key] for key in keys if key in problems},
        )

    def _get_outdated_step(self, answers: Answers) -> str:
        """Return the first question whose answer no longer holds; empty for none.

        A kind may have been withdrawn between two pages, or a provider archived.
        """
        questions = self._get_steps(answers)
        is_void = {
            steps.KIND: answers.type_id and not self._get_type(answers),
            steps.PROVIDER: answers.provider_id and not self._get_provider(answers),
            steps.BRANCH: answers.branch_id and not self._get_branch(answers),
            steps.DETAILS: answers.parts
            and self._canonicalise_texts(answers, answers.parts)[1],
        }
        return next((step for step in questions if is_void.get(step)), "")

    # === THE ADDRESS === #

    def _build_address(self) -> str:
        """Return the address from the answers; empty while one is missing or void."""
        answers = self._get_answers()
        questions = self._get_steps(answers)
        is_open = steps.get_open_step(questions, answers) != steps.REVIEW
        if self.operation == "remove" or is_open or self._get_outdated_step(answers):
            return ""
        provider_sudo = self._get_provider(answers)
        branch_sudo = self._get_branch(answers)
        codes = {"provider": provider_sudo.code, "branch": branch_sudo.code}
        type_sudo = self._get_type(answers)
        texts, _problems = self._canonicalise_texts(answers, answers.parts)
        parts = {
            part.key: codes.get(part.kind) or texts.get(part.key, "")
            for part in type_sudo.part_ids
        }
        address = Address(
            text="",
            type_id=type_sudo.id,
            provider_id=provider_sudo.id or None,
            branch_id=branch_sudo.id or None,
            parts=parts,
        )
        strategy_sudo = type_sudo.strategy_ids.filtered("is_default")
        (text,) = strategy_sudo._write_addresses([address], strategy_sudo.number)
        return text or ""

    def _get_digest_text(self) -> str:
        """Return what a proof of identity is bound to: this draft, as it stands."""
        address = self._build_address()
        return f"{self.uuid}:{self.version}:{self.operation}:{address}"
