import json
from datetime import date, datetime
from hashlib import sha256
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import SQL

from ..exceptions import MapperError, NotPermitted, SealBroken
from ..expressions import check_person

ADMINISTRATOR = "spar_fa_directory.group_administrator"


class SparSettingChange(models.Model):
    """A change of a setting that waits for a second administrator, or was decided.

    The values to be written are sealed: there may be secrets among them.
    """

    _name = "spar.setting.change"
    _description = "Change of a setting"
    _inherit = "spar.sealed.storage"
    _order = "id desc"
    _rec_name = "subject"
    _log_access = False
    _sealed_columns = ("sealed_values",)
    _seal_purpose = "setting change"
    _seal_context_columns = ("uuid", "res_model", "res_id")

    uuid = fields.Char(string="Reference", required=True, readonly=True)
    res_model = fields.Char(string="Model", required=True, readonly=True, index=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", required=True, readonly=True
    )
    subject = fields.Char(string="Setting", compute="_compute_subject")
    summary = fields.Text(string="Change", compute="_compute_summary")
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("applied", "Applied"),
            ("refused", "Refused"),
            ("withdrawn", "Withdrawn"),
            ("stale", "Overtaken"),
        ],
        required=True,
        readonly=True,
    )
    proposer_id = fields.Many2one(
        "res.users", string="Proposed by", required=True, readonly=True
    )
    proposed_at = fields.Datetime(string="Proposed on", required=True, readonly=True)
    decider_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    decided_at = fields.Datetime(string="Decided on", readonly=True)
    is_mine = fields.Boolean(string="Mine", compute="_compute_is_mine")
    named = fields.Json(
        readonly=True,
        help="The records that cannot be edited while this change is waiting.",
    )

    _res_index = models.Index("(res_model, res_id) WHERE state = 'waiting'")
    _two_people = models.Constraint(
        "CHECK (state <> 'applied' OR decider_id <> proposer_id)",
        "The proposer of a change cannot approve it.",
    )

    @api.depends("res_model", "res_id")
    def _compute_subject(self) -> None:
        for change in self:
            record = change._get_record()
            kind = record._description if record is not None else change.res_model
            name = record.display_name if record else self.env._("(deleted)")
            change.subject = f"{kind}: {name}"

    @api.depends_context("uid")
    def _compute_is_mine(self) -> None:
        for change in self:
            change.is_mine = change.proposer_id == self.env.user

    @api.depends("res_model", "res_id", "state")
    def _compute_summary(self) -> None:
        for change in self:
            try:
                change.summary = change._describe()
            except MapperError:
                change.summary = self.env._("The change cannot be opened now.")

    def _describe(self) -> str:
        record = self._get_record()
        if not record:
            return ""
        kept = self._open_kept()
        lines = []
        for name, value in kept["values"].items():
            label = record._fields[name]._description_string(self.env)
            old = record._describe_value(name, kept["before"].get(name))
            lines.append(f"{label}: {old} → {record._describe_value(name, value)}")
        if self.state == "waiting":
            lines += record._describe_effect(kept["values"])
        return "\n".join(lines)

    # === STORING === #

    @api.model
    def _keep(
        self,
        record: models.BaseModel,
        values: dict,
        proposer,
        named: list[tuple[str, int]] = (),
    ):
        """Return a new change of ``record`` by ``proposer``; raises KeyringUnavailable.

        ``named`` are other records that affect the result.
        """
        named = [(record._name, record.id), *named]
        change = self.create(
            {
                "uuid": str(uuid4()),
                "res_model": record._name,
                "res_id": record.id,
                "state": "waiting",
                "proposer_id": proposer.id,
                "proposed_at": fields.Datetime.now(),
                "named": [_name(*each) for each in named],
            }
        )
        before = record._get_snapshot(list(values))
        standing = self._get_standing(named)
        kept = {
            "values": to_kept(values),
            "before": before,
            "standing": standing,
            "proposer": proposer.id,
        }
        change._write_sealed(json.dumps(kept))
        record.invalidate_recordset(["setting_change_ids"])
        return change

    @api.model
    def _get_standing(self, named: list[tuple[str, int]]) -> list:
        """Return the state of the named records; that of a missing one is empty."""
        standing = []
        for model, row_id in named:
            record = self.env[model].sudo().browse(row_id).exists()
            text = record._get_standing_text() if record else ""
            standing.append([model, row_id, sha256(text.encode()).hexdigest()])
        return standing

    @api.model
    def _find_naming(self, record: models.BaseModel):
        """Return a pending change of ``record``, or of a record that uses it."""
        query = SQL(
            """SELECT id FROM spar_setting_change
                WHERE state = 'waiting' AND named @> %s ORDER BY id LIMIT 1""",
            json.dumps([_name(record._name, record.id)]),
        )
        self.flush_model()
        return self.browse(row_id for (row_id,) in self.env.execute_query(query))

    def _open_kept(self) -> dict:
        """Return the ``values`` to be written, and those ``before`` the change.

        Raises KeyringUnavailable, KeyringMismatch, and SealBroken if the change is not
        as it was proposed, or names another proposer.
        """
        text = self._read_sealed()
        if text is None:
            raise SealBroken("the values of the change are gone")
        kept = json.loads(text)
        # Decided changes of earlier versions do not state it.
        usual = None if self.state == "waiting" else self.proposer_id.id
        if kept.get("proposer", usual) != self.proposer_id.id:
            raise SealBroken("the change names another proposer")
        return kept

    def _get_record(self) -> models.BaseModel | None:
        """Return the record to be changed: empty when gone, None without its model."""
        if self.res_model not in self.env:
            return None
        return self.env[self.res_model].browse(self.res_id).exists()

    # === DECISIONS === #

    def action_approve(self) -> dict:
        """Make the changes that another user proposed; report those overtaken."""
        self._check_decider()
        if any(change.is_mine for change in self):
            raise UserError(
                self.env._(
                    "You proposed this change: another administrator must approve it."
                )
            )
        self._check_unaltered()
        self._check_independent()
        stale = self.browse()
        for change in self:
            if not change._apply():
                stale += change
        if stale:
            return self._build_stale_notification()
        return self._notify("success", self.env._("Approved. The change is in force."))

    def action_refuse(self) -> dict:
        """Leave everything as it is; the proposer of a change may withdraw it."""
        self._check_decider()
        for change in self:
            change._decide("withdrawn" if change.is_mine else "refused")
        return self._notify("success", self.env._("The setting was not changed."))

    def _overtake(self) -> None:
        """End these changes as stale: their records were changed in another way."""
        for change in self:
            change._decide("stale")

    @api.model
    def _check_administrator(self) -> None:
        """Raise AccessError unless an administrator of SPAR is logged in."""
        try:
            check_person(self.env)
            may_decide = self.env.user.has_group(ADMINISTRATOR)
        except NotPermitted:
            may_decide = False
        if not may_decide:
            raise AccessError(
                self.env._("Only an administrator can decide on settings.")
            )

    def _check_decider(self) -> None:
        """Raise unless this user may decide and the changes are still pending."""
        self._check_administrator()
        self.check_access("read")
        self.sudo().lock_for_update()
        self.invalidate_recordset()
        if set(self.mapped("state")) - {"waiting"}:
            raise UserError(self.env._("This change has already been decided."))

    def _check_unaltered(self) -> None:
        """Raise UserError unless each change is as its proposer made it."""
        for change in self:
            try:
                change._open_kept()
            except SealBroken as error:
                raise UserError(
                    self.env._(
                        "This change was altered outside Odoo. Refuse it, and propose "
                        "it again."
                    )
                ) from error

    def _check_independent(self) -> None:
        """Raise UserError if both users may be one person with two accounts."""
        acts_sudo = self.env["spar.account.act"].sudo()
        for change in self:
            act = acts_sudo._find_dependence(
                self.env.user, change.proposer_id, change.proposed_at
            )
            if act:
                raise UserError(
                    self.env._(
                        "You cannot approve a change proposed by %(proposer)s: "
                        "%(reason)s. Another administrator must decide.",
                        proposer=change.proposer_id.name,
                        reason=act,
                    )
                )

    def _apply(self) -> bool:
        """Write what was proposed, unless the record has changed since."""
        record, kept = self._get_record(), self._open_kept()
        names = list(kept["values"])
        if not record or record._get_snapshot(names) != kept["before"]:
            self._decide("stale")
            return False
        named = [tuple(each[:2]) for each in kept.get("standing", ())]
        if self._get_standing(named) != kept.get("standing", []):
            self._decide("stale")
            return False
        record._write_approved(kept["values"])
        self._decide("applied")
        return True

    def _decide(self, state: str) -> None:
        """End this change; its secrets are deleted."""
        change_sudo = self.sudo()
        try:
            kept = self._open_kept()
        except SealBroken:
            kept = None  # An altered change can still be refused.
        if kept is not None:
            self._drop_secrets(kept)
            change_sudo._write_sealed(json.dumps(kept))
        change_sudo.write(
            {
                "state": state,
                "decider_id": self.env.user.id,
                "decided_at": fields.Datetime.now(),
            }
        )

    def _drop_secrets(self, kept: dict) -> None:
        record = self._get_record()
        for name in record._guarded_secrets if record is not None else ():
            if name in kept["values"]:
                kept["values"][name] = ""

    def _state_proposers(self) -> None:
        """Seal the proposers of pending changes that an earlier version stored."""
        for change in self.search([("state", "=", "waiting")]):
            try:
                kept = json.loads(change._read_sealed() or "{}")
            except SealBroken:
                continue  # It can only be refused.
            if kept and "proposer" not in kept:
                kept["proposer"] = change.proposer_id.id
                change._write_sealed(json.dumps(kept))

    @api.model
    def _build_stale_notification(self) -> dict:
        text = self.env._(
            "The setting was changed in the meantime: propose the change again."
        )
        return self._notify("warning", text)

    @api.model
    def _notify(self, kind: str, text: str) -> dict:
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": text,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }


def _name(model: str, row_id: int) -> str:
    """Return the name of a record in changes."""
    return f"{model},{row_id}"


def to_kept(value):
    """Return ``value`` of a write in JSON's types; commands stay what they are.

    >>> to_kept([(6, 0, (1, 2)), datetime(2026, 1, 1)])
    [[6, 0, [1, 2]], '2026-01-01 00:00:00']
    """
    if isinstance(value, models.BaseModel):
        return [[int(Command.SET), 0, value.ids]]
    if isinstance(value, (list, tuple)):
        return [to_kept(each) for each in value]
    if isinstance(value, dict):
        return {name: to_kept(each) for name, each in value.items()}
    if isinstance(value, datetime):
        return fields.Datetime.to_string(value)
    if isinstance(value, date):
        return fields.Date.to_string(value)
    return json.loads(json.dumps(value))
