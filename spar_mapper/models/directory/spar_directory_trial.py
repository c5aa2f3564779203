import json
import logging
from typing import NamedTuple

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext

from ...lib.id_reading import OTHER, REFUSED
from ...lib.rule_changes import RuleChanges
from ...redirection import Redirection
from ...store.address_rewriting import COUNT_PLACES, AddressRewriter, AddressScope

_logger = logging.getLogger(__name__)

#: Context key under which a save keeps its changes; see ``RuleChanges``.
CHANGES = "spar_rule_changes"
_CALL = CallContext("system", "forms", Authority.STAFF)
#: The most addresses checked while a user waits; more are checked in the background.
MAX_CHECKED = 3000
_CHECKED_AT_ONCE = 1000
#: The notes of a dry run that is undone have no run.
_NO_RUN = 0


class Effect(NamedTuple):
    """The effect that a change would have on the stored addresses.

    ``looked_at`` is the number of addresses to check; they have not been checked yet if
    ``is_known`` is false. The other figures are exact, and are blurred before anybody
    sees them.
    """

    looked_at: int = 0
    changing: int = 0
    coinciding: int = 0
    refused: int = 0
    is_known: bool = True

    def __bool__(self) -> bool:
        return bool(self.changing or self.refused or not self.is_known)

    def needs_confirmation(self, changes: RuleChanges) -> bool:
        """Return whether a user has to see the effect before the change is saved.

        If the change compares stored numbers with a pattern, this does not depend on
        whether one of them matches: that alone would answer a question about them.
        """
        return bool(self or (changes.tests_numbers and self.looked_at))


class _Undone(Exception):
    """Ends the savepoint of a dry run."""

    def __init__(self, effect: Effect):
        super().__init__()
        self.effect = effect


class SparDirectoryTrial(models.Model):
    """A change of the directory that is not saved yet, and its effect.

    A change that would alter the form of stored addresses is not saved at once. It
    waits here with its figures until a user who has seen them saves it.
    """

    _name = "spar.directory.trial"
    _description = "Waiting directory change"
    _order = "id desc"
    _log_access = False

    model = fields.Char(readonly=True, required=True)
    record_ids = fields.Json(readonly=True)
    values = fields.Json(readonly=True)
    record_name = fields.Char("Changed record", readonly=True)
    user_id = fields.Many2one("res.users", "Changed by", readonly=True)
    lang = fields.Char(string="Language", readonly=True)
    made_at = fields.Datetime("Changed on", readonly=True, required=True)
    state = fields.Selection(
        [
            ("looking", "Being checked"),
            ("ready", "Waiting for confirmation"),
            ("saved", "Saved"),
            ("discarded", "Discarded"),
            ("failed", "Cannot be saved"),
        ],
        readonly=True,
        required=True,
    )
    problem = fields.Char(readonly=True)
    looked_at = fields.Integer("Addresses checked", readonly=True)
    changing = fields.Integer("To be rewritten", readonly=True)
    coinciding = fields.Integer("Would coincide", readonly=True)
    refused = fields.Integer(
        "Would belong to another bank",
        readonly=True,
        help="They stay as they are, and can be found as they are written.",
    )
    findings = fields.Char(
        "Effect",
        compute="_compute_findings",
        help="In tens, because exact numbers would tell something about one account.",
    )

    @api.depends("state", "looked_at", "changing", "coinciding", "refused")
    @api.depends_context("lang")
    def _compute_findings(self):
        for trial in self:
            effect = Effect(
                trial.looked_at, trial.changing, trial.coinciding, trial.refused
            )
            is_known = trial.state != "looking" and trial.looked_at
            trial.findings = is_known and self._describe_figures(effect)

    def _compute_display_name(self):
        for trial in self:
            trial.display_name = trial.record_name or trial.model

    # === BEFORE IT IS SAVED === #

    @api.model
    def _check_seen(self, changes: RuleChanges) -> None:
        """Refuse a change affecting stored addresses until a user has seen its effect.

        The refusal also undoes what this transaction has written of it. Raises
        Redirection. Server code that runs with all rights is exempt.
        """
        if self.env.su or not changes.has_any:
            return
        effect = self._survey(changes.to_scope(), MAX_CHECKED)
        if not effect.needs_confirmation(changes):
            return
        question = _build_question(*changes.saved)
        self.env["spar.question"]._charge("directory", question)
        effect = self._blur(effect, question)
        trial_id = self._store_change(*changes.saved, effect)
        raise Redirection(
            self._describe(effect),
            {
                "type": "ir.actions.act_window",
                "res_model": self._name,
                "res_id": trial_id,
                "views": [(False, "form")],
                "target": "current",
            },
            self.env._("View the change"),
        )

    @api.model
    def _describe(self, effect: Effect) -> str:
        if not effect.is_known:
            return self.env._(
                "Nothing is saved yet. %(count)s stored addresses must be checked "
                "first, in the background. The change is listed under Waiting "
                "directory changes.",
                count=effect.looked_at,
            )
        return self.env._(
            "Nothing is saved yet. %(effect)s Review and save the change under "
            "Waiting directory changes.",
            effect=self._describe_figures(effect),
        )

    @api.model
    def _describe_figures(self, effect: Effect) -> str:
        describe = self.env["spar.question"]._describe
        return self.env._(
            "Stored addresses checked: %(count)s. Would get another form: "
            "%(changing)s. Would be identical to another person's: %(coinciding)s. "
            "Would belong to another bank: %(refused)s.",
            count=effect.looked_at,
            changing=describe(effect.changing, effect.looked_at),
            coinciding=describe(effect.coinciding, effect.looked_at),
            refused=describe(effect.refused, effect.looked_at),
        )

    @api.model
    def _blur(self, effect: Effect, question: str) -> Effect:
        """Return the effect as it is shown to the person who asked for it."""
        figures = self.env["spar.question"]._blur(
            question,
            effect.looked_at,
            changing=effect.changing,
            coinciding=effect.coinciding,
            refused=effect.refused,
        )
        return effect._replace(**figures)

    @api.model
    def _describe_rows(self, effect: Effect, row: int) -> str:
        """Return the description of an effect for the rows of a file."""
        if not effect.is_known:
            return self.env._(
                "With the rows up to %(row)s, %(count)s stored addresses may get "
                "another form; there are too many to check them here. These rows are "
                "not loaded yet. To load them, select Load anyway.",
                row=row,
                count=effect.looked_at,
            )
        return self.env._(
            "The rows up to %(row)s are not loaded yet. %(effect)s If this is correct, "
            "select Load anyway.",
            row=row,
            effect=self._describe_figures(effect),
        )

    @api.model
    def _store_change(self, model: str, ids: list[int], values, effect: Effect) -> int:
        """Keep the change in a separate transaction; the current one is undone."""
        with self.env.registry.cursor() as cr:
            trials_sudo = self.with_env(self.env(cr=cr)).sudo()
            trial_sudo = trials_sudo._add(model, ids, values, self.env.uid)
            trial_sudo._record_effect(effect)
            return trial_sudo.id

    @api.model
    def _add(self, model: str, ids: list[int], values, user_id: int):
        """Add the change, or return the identical one that is already pending."""
        vals = {
            "model": model,
            "record_ids": ids,
            "values": json.loads(json.dumps(values, default=str)),
            "user_id": user_id,
            "lang": self.env.lang,
        }
        mine = self.search(
            [("user_id", "=", user_id), ("state", "in", ("looking", "ready"))]
        )
        same = mine.filtered(
            lambda trial: all((trial[n] or None) == (vals[n] or None) for n in _CHANGE)
        )
        if same:
            return same[:1]
        name = self._name_change(model, ids, values)
        now = fields.Datetime.now()
        return self.create(
            {**vals, "record_name": name, "made_at": now, "state": "looking"}
        )

    @api.model
    def _name_change(self, model: str, ids: list[int], values) -> str:
        records = self.env[model].browse(ids)
        names = records.mapped("display_name") if ids else []
        many = values if isinstance(values, list) else [values]
        names = names or [v.get("name") or v.get("code") or "" for v in many]
        shown = ", ".join(filter(None, names[:3])) + (", …" if len(names) > 3 else "")
        kind = self.env["ir.model"]._get(model).name
        return f"{kind}: {shown}" if shown else kind

    def _record_effect(self, effect: Effect) -> None:
        self.write(
            {
                "state": "ready" if effect.is_known else "looking",
                "looked_at": effect.looked_at,
                "changing": effect.changing,
                "coinciding": effect.coinciding,
                "refused": effect.refused,
            }
        )
        if not effect.is_known:
            self.env.ref("spar_mapper.ir_cron_trials").sudo()._trigger()

    # === CHECKING === #

    @api.model
    def _survey(self, data: dict, most: int | None = None) -> Effect:
        """Return what becomes of stored addresses by the directory as changed here.

        The directory is read as this transaction sees it. Nothing is changed.

        :param most: beyond this many addresses, only their number is returned
        """
        self.env.flush_all()
        scope = AddressScope.from_data(data)
        self.env.cr.execute(COUNT_PLACES, scope.build_values(0))
        (total,) = self.env.cr.fetchone()
        if not total:
            return Effect()
        if most is not None and total > most:
            return Effect(total, is_known=False)
        try:
            with self.env.cr.savepoint():
                raise _Undone(self._check_scope(scope))
        except _Undone as undone:
            return undone.effect

    @api.model
    def _check_scope(self, scope: AddressScope) -> Effect:
        mapper = self.env["spar.mapper.local"]
        work = mapper._begin_work(_CALL, for_write=False)
        rewriter = AddressRewriter(work, _NO_RUN, scope, mapper._read_stored)
        after, seen, changing, refused = 0, 0, 0, 0
        while True:
            piece = rewriter.check(after, _CHECKED_AT_ONCE)
            after, seen = piece.after, seen + piece.seen
            changing += piece.verdicts.get(OTHER, 0)
            refused += piece.verdicts.get(REFUSED, 0)
            if piece.seen < _CHECKED_AT_ONCE:
                break
        coinciding, _groups = rewriter.count_shared()
        return Effect(seen, changing, coinciding, refused)

    @api.model
    def _cron_look(self) -> None:
        """Check the effect of the changes that wait for that."""
        cron = self.env["ir.cron"]
        while trial := self.search([("state", "=", "looking")], order="id", limit=1):
            trial._test_change()
            left = self.search_count([("state", "=", "looking")])
            if not cron._commit_progress(1, remaining=left):
                return

    def _test_change(self) -> None:
        """Try the change and undo it; save it if it concerns no address."""
        try:
            with self.env.cr.savepoint():
                # With all rights, so that changes awaiting a second person are
                # included.
                changes = self._apply(self.env.user.browse(SUPERUSER_ID))
                raise _Undone(self._survey(changes.to_scope()))
        except _Undone as undone:
            self.env.invalidate_all()
            question = _build_question(self.model, self.record_ids or [], self.values)
            self._record_effect(self._blur(undone.effect, question))
            if not undone.effect.needs_confirmation(changes):
                self._apply(self._get_changer())
                self.state = "saved"
        except psycopg2.OperationalError:
            raise
        except psycopg2.IntegrityError as error:
            self._fail(self.env[self.model]._sql_error_to_message(error))
        except UserError as error:
            self._fail(str(error))
        except Exception:
            # The next trials must not wait for one that can never be tried.
            _logger.exception("directory change %s could not be tested", self.id)
            self._fail(
                self.env._("This change could not be tested. See the server's log.")
            )

    def _fail(self, problem: str) -> None:
        self.env.invalidate_all()
        self.write({"state": "failed", "problem": problem})

    # === OUTCOME === #

    def _get_changer(self):
        """Return whose change it is; raises UserError if it is nobody's.

        Superuser code does not wait here.
        """
        if not self.user_id or self.user_id._is_superuser():
            raise UserError(
                self.env._("It is not clear whose change this is. Discard it.")
            )
        return self.user_id

    def _apply(self, user) -> RuleChanges:
        """Apply the change with the rights of ``user``."""
        self.ensure_one()
        changes = RuleChanges(is_seen=True)
        context = {CHANGES: changes, **({"lang": self.lang} if self.lang else {})}
        model = self.env[self.model].with_user(user).with_context(**context)
        records = model.with_context(active_test=False).browse(self.record_ids or [])
        if self.values is False or self.values is None:
            records.unlink()
        elif self.record_ids:
            records.write(self.values)
        else:
            model.create(self.values)
        self.env.flush_all()
        return changes

    def action_save(self):
        """Save the change for a user who has seen its effect."""
        for trial in self:
            trial.check_access("read")
            self.env[trial.model].check_access("write")
            trial_sudo = trial.sudo()
            trial_sudo._lock_waiting("ready")
            trial_sudo._apply(trial_sudo._get_changer())
            trial_sudo.state = "saved"
        return self.env["spar.staff.answers"]._notify(
            self.env._("Saved. The addresses are being rewritten in the background.")
        )

    def action_discard(self):
        """Discard the change."""
        for trial in self:
            self.env[trial.model].check_access("write")
            trial_sudo = trial.sudo()
            trial_sudo._lock_waiting("looking", "ready")
            trial_sudo.state = "discarded"

    def _lock_waiting(self, *states: str) -> None:
        """Lock the change; raises UserError if it is in none of ``states``."""
        self.lock_for_update()
        self.invalidate_recordset(["state"])
        if self.state not in states:
            raise UserError(self.env._("This change is no longer waiting."))


def _build_question(model: str, ids: list[int], values) -> str:
    """Return the question that a change of the directory asks of stored addresses."""
    return json.dumps([model, ids, values or None], sort_keys=True, default=str)


#: The fields by which two changes are recognised as the same.
_CHANGE = ("model", "record_ids", "values")
