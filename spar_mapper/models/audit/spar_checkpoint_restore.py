import json
from bisect import bisect
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ...lib import checkpoint, checkpoint_file
from .spar_checkpoint import _get_last_id, get_path

DECLARATION_FORGED = "this restore was not declared by two people: it was set by hand"
_PURPOSE = "declared restore"
_CHUNKS_AT_ONCE = 50


class SparCheckpointRestore(models.Model):
    """A restore of the database that two people declare, or the loss of its file.

    It lists what is lost. Once a second person has approved it, it is recorded as a
    signed line, and checkpoints continue from the present history.
    """

    _name = "spar.checkpoint.restore"
    _description = "Declared restore"
    _inherit = "spar.second.person"
    _rec_name = "reference"
    _order = "id desc"
    _guarded_fields = ("confirmed",)

    reference = fields.Char(required=True, readonly=True, copy=False)
    reason = fields.Text(
        required=True, help="What happened, and who decided to restore."
    )
    number = fields.Integer(
        readonly=True, string="After checkpoint", help="The newest known checkpoint."
    )
    lost = fields.Json(readonly=True, copy=False)
    lost_text = fields.Text(compute="_compute_lost_text", string="Lost events")
    confirmed = fields.Boolean(
        readonly=True, copy=False, string="Declared by two people"
    )
    confirmed_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, string="Confirmed by"
    )
    mac = fields.Char(readonly=True, copy=False, groups="base.group_no_one")
    state = fields.Selection(
        [("new", "Waiting"), ("written", "Recorded"), ("stale", "Overtaken")],
        default="new",
        required=True,
        readonly=True,
        copy=False,
    )

    @api.depends("lost")
    def _compute_lost_text(self) -> None:
        for restore in self:
            lines = [
                self.env._("%(first)s to %(last)s", first=first, last=last)
                for first, last in restore._get_lost()
            ]
            restore.lost_text = "\n".join(lines) or self.env._("none known")

    def _describe_effect(self, values: dict) -> list[str]:
        return [
            self.env._("Lost events: %(lost)s", lost=self.lost_text),
            self.env._("Reason: %(reason)s", reason=self.reason),
        ]

    # === DECLARING === #

    @api.model_create_multi
    def create(self, vals_list):
        """Begin a declaration; users supply only the reason."""
        found = self._find_lost()
        vals_list = [
            {"reason": vals.get("reason"), "reference": uuid4().hex, **found}
            for vals in vals_list
        ]
        new = super(SparCheckpointRestore, self._as_code()).create(vals_list)
        return new.with_env(self.env)

    def write(self, vals):
        approved = self._is_approved()
        if vals.keys() - {"confirmed"} and not self.env.su:
            raise AccessError(
                self.env._("A declaration cannot be changed. Make a new one.")
            )
        if vals.get("confirmed") and self.env.su and not approved:
            raise AccessError(self.env._("A restore must be declared by two people."))
        result = super().write(vals)
        if approved and vals.get("confirmed"):
            self._sign()
        return result

    def _is_approved(self) -> bool:
        return self.with_env(self.env(su=False))._may_write_at_once()

    def action_declare(self) -> None:
        """Propose the restore to a second administrator."""
        if set(self.mapped("state")) != {"new"}:
            raise UserError(self.env._("This declaration is closed. Make a new one."))
        self._as_code().write({"confirmed": True})

    def _sign(self) -> None:
        """Sign what was approved, so that it cannot be forged by SQL."""
        keyring = self.env["spar.keyring"]._open()
        restores_sudo = self.sudo()
        for restore_sudo in restores_sudo:
            restore_sudo.confirmed_by_id = self.env.user
            restore_sudo.mac = restore_sudo._build_mac(keyring)
        self.env.ref("spar_mapper.ir_cron_checkpoint").sudo()._trigger()

    def _build_mac(self, keyring: OpenKeyring) -> str:
        content = bind(
            self.reference,
            self.reason,
            self.number,
            json.dumps(self._get_lost()),
            self.create_uid.id,
            self.confirmed_by_id.id,
        )
        return keyring.mac(_PURPOSE, content).hex()

    def _get_lost(self) -> list[list[int]]:
        """Return the lost ranges; Odoo stores an empty list as nothing."""
        return self.lost or []

    # === LOST EVENTS === #

    @api.model
    def _find_lost(self) -> dict:
        """Return ``number`` of the newest checkpoint, and ``lost`` ranges of events."""
        keyring = self.env["spar.keyring"]._open()
        checkpoints_sudo = self.env["spar.checkpoint"].sudo()
        reading = checkpoints_sudo._read_file(keyring)
        differing = self._list_differing(reading)
        if differing:
            reading = checkpoints_sudo._read_file(keyring, wanted=differing)
        ranges = [self._find_range(reading, number) for number in differing]
        return {
            "number": max(reading.number, checkpoints_sudo._get_record().number),
            "lost": checkpoint.merge(ranges),
        }

    @api.model
    def _list_differing(self, reading: checkpoint.CheckpointReading) -> list[int]:
        checkpoints_sudo = self.env["spar.checkpoint"].sudo()
        after, found = 0, []
        while after is not None:
            findings, after = checkpoints_sudo._compare_chunks(
                reading, after, _CHUNKS_AT_ONCE
            )
            found += [row_id // checkpoint.CHUNK for _t, row_id, _p in findings]
        return found

    @api.model
    def _find_range(
        self, reading: checkpoint.CheckpointReading, number: int
    ) -> tuple[int, int]:
        """Return the event from which a chunk differs, and the chunk's last event.

        If it matches one checkpoint, it also matches all earlier ones.
        """
        checkpoints_sudo = self.env["spar.checkpoint"].sudo()
        marks = reading.marks.get(number, [])

        def differs(mark) -> bool:
            last_id, recorded = mark
            until = min(last_id, _get_last_id(number))
            return checkpoints_sudo._hash_chunks(number, until) != {number: recorded}

        place = bisect(marks, False, key=differs)
        first = marks[place - 1][0] + 1 if place else number * checkpoint.CHUNK
        return first, min(reading.last_event_id, _get_last_id(number))

    # === RECORDING IT === #

    @api.model
    def _write_confirmed(self, keyring: OpenKeyring) -> bool:
        """Record what two people declared; return whether there was anything."""
        domain = [("confirmed", "=", True), ("state", "=", "new")]
        written = False
        for restore in self.search(domain, order="id"):
            if (
                restore.mac != restore._build_mac(keyring)
                or restore._is_confirmed_by_proposer()
            ):
                problem = ("spar_checkpoint_restore", restore.id, DECLARATION_FORGED)
                self.env["spar.alarm"]._raise_alarms([problem])
                continue
            restore.state = "written" if restore._write_line(keyring) else "stale"
            written = written or restore.state == "written"
        return written

    def _is_confirmed_by_proposer(self) -> bool:
        return self.create_uid == self.confirmed_by_id

    def _write_line(self, keyring: OpenKeyring) -> bool:
        """Add the signed line, unless the situation is no longer the declared one."""
        checkpoints = self.env["spar.checkpoint"]
        text = checkpoint_file.read_last(get_path(checkpoints.env))
        last = checkpoint.parse(text, keyring) if text is not None else None
        if last and last.declaration and last.declaration.reference == self.reference:
            checkpoints._record_line(last.number, text)
            return True
        if self._find_lost() != {"number": self.number, "lost": self._get_lost()}:
            return False
        checkpoints._add_line(keyring, self._build_line(last))
        return True

    def _build_line(
        self, last: checkpoint.CheckpointLine | None
    ) -> checkpoint.CheckpointLine:
        return checkpoint.CheckpointLine(
            number=self.number + 1,
            kind=checkpoint.RESTORE,
            taken_at=fields.Datetime.to_string(fields.Datetime.now()),
            last_event_id=0,
            chunks={},
            previous=last.mac if last else "",
            declaration=checkpoint.Declaration(
                reference=self.reference,
                lost=self._get_lost(),
                reason=self.reason,
                declared_by=f"user:{self.create_uid.id}",
                confirmed_by=f"user:{self.confirmed_by_id.id}",
            ),
        )
