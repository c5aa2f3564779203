import json
from collections.abc import Callable

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

#: The purpose of the seals. It must never change.
TASK = "registry_task"

#: What staff write themselves; everything else is written by the buttons.
_OF_STAFF = {"answer", "user_id"}


class SparRegistryTask(models.Model):
    """Something that a person of the programme's staff has to decide.

    Nothing that happens in the registry ends or moves an address by itself: it proposes
    what to do, and somebody does it, or dismisses it with a reason.

    A task about an ID that was replaced has that ID sealed, and the new one once a move
    is proposed: see ``spar.identity.move``.
    """

    _name = "spar.registry.task"
    _description = "Task of a programme"
    _inherit = ["spar.of.person", "spar.sealed.storage"]
    _order = "state, id"
    _rec_name = "partner_id"
    _seal_purpose = TASK
    _seal_prefix = (TASK,)
    _seal_context_columns = ("id", "partner_id", "kind")

    kind = fields.Selection(
        [
            ("conflict", "Another address is in force"),
            ("failed", "An account could not be sent"),
            ("consent_withdrawn", "Consent withdrawn: remove the address?"),
            ("identity_replaced", "ID replaced: move the address to the new ID?"),
            ("identity_expired", "ID expired"),
            ("merged", "Contacts merged: which address counts?"),
            ("disabled", "Person archived or disabled: suspend payments?"),
            ("died", "Person died: suspend payments?"),
            ("no_head", "The household has no head who can be paid"),
            ("no_recipient", "The recipient can no longer be paid"),
            ("drift", "The registry resolves to another address"),
        ],
        required=True,
        readonly=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Person",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    programme_id = fields.Many2one("spar.programme", readonly=True, ondelete="cascade")
    account_id = fields.Many2one(
        "spar.payment.account", readonly=True, ondelete="cascade"
    )
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one("res.users", string="Assigned to", index=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("proposed", "Waiting for approval"),
            ("moving", "Being moved"),
            ("done", "Done"),
            ("dismissed", "Dismissed"),
        ],
        default="open",
        required=True,
        readonly=True,
    )
    proposed_by = fields.Many2one("res.users", string="Proposed by", readonly=True)
    proposed_at = fields.Datetime(string="Proposed at", readonly=True)
    approved_by = fields.Many2one("res.users", string="Approved by", readonly=True)
    answer = fields.Char(
        help="What was done, or why nothing has to be done. It must not contain an ID "
        "or an account number.",
    )
    closed_by = fields.Many2one("res.users", string="Closed by", readonly=True)
    closed_at = fields.Datetime(string="Closed at", readonly=True)

    _open_uniq = models.UniqueIndex(
        "(kind, partner_id, coalesce(programme_id, 0))"
        " WHERE state NOT IN ('done', 'dismissed')",
        "This task is already open.",
    )

    # === OPENING === #

    @api.model
    def _propose(self, kind: str, partner, programme=None, account=None, reason=""):
        """Open a task, unless the same one is open; return it."""
        programme = programme or self.env["spar.programme"]
        tasks_sudo = self.sudo()
        found_sudo = tasks_sudo._find_open(kind, partner, programme)
        if found_sudo:
            return found_sudo
        return tasks_sudo.create(
            {
                "kind": kind,
                "partner_id": partner.id,
                "programme_id": programme.id,
                "account_id": account.id if account else False,
                "reason": reason,
                "user_id": programme.sudo().manager_ids[:1].id,
            }
        )

    @api.model
    def _find_open(self, kind: str, partner, programme):
        domain = [
            ("kind", "=", kind),
            ("partner_id", "=", partner.id),
            ("programme_id", "=", programme.id),
            ("state", "not in", ("done", "dismissed")),
        ]
        return self.search(domain, limit=1)

    # === WHAT IS SEALED === #

    def _keep_ids(self, **ids: list) -> None:
        """Seal the IDs that a task is about, beside those it has: type and value.

        :param ids: ``old`` and ``new``, each ``[row id, type id, ID]``
        """
        self.ensure_one()
        self._write_sealed(json.dumps({**self._get_ids(), **ids}))

    def _get_ids(self) -> dict[str, list]:
        """Return the IDs that a task is about; raises SealBroken if it was altered."""
        text = self._read_sealed()
        return json.loads(text) if text else {}

    # === STAFF === #

    def write(self, vals):
        """Write; staff write only their answer, and whom a task is assigned to."""
        if not self.env.su and vals.keys() - _OF_STAFF:
            raise AccessError(
                self.env._("Only the buttons of a task change what it is about.")
            )
        return super().write(vals)

    def action_done(self):
        """Close the tasks: what they propose was done."""
        self._close("done")

    def action_dismiss(self):
        """Close the tasks: nothing has to be done, for the reason in the answer."""
        if not all(task.answer for task in self._filter_open()):
            raise UserError(
                self.env._("Answer: enter why nothing has to be done, and dismiss.")
            )
        self._close("dismissed")

    def _filter_open(self):
        return self.filtered(lambda task: task.state not in ("done", "dismissed"))

    def _close(self, state: str, answer: str = "") -> None:
        self.check_access("write")
        values = {
            "state": state,
            "closed_by": self.env.uid,
            "closed_at": fields.Datetime.now(),
        }
        if answer:
            values["answer"] = answer
        tasks_sudo = self._filter_open().sudo()
        tasks_sudo.write(values)
        tasks_sudo._write_sealed(None)

    # === SOLVING === #

    def action_solve(self):
        """Open the form in which the task is solved, prefilled."""
        self.ensure_one()
        self.check_access("write")
        return _SOLUTIONS[self.kind](self)

    def _open_address(self):
        """Show the address in force and its history, from where it is changed."""
        wizards = self.env["spar.address.wizard"]
        return wizards._open_for(self.partner_id, self.programme_id)

    def _open_removal(self):
        wizards = self.env["spar.collect.wizard"]
        return wizards._open_for(self.partner_id, "remove", self.programme_id)

    def _open_suspension(self):
        return self.env["spar.suspend.wizard"]._open_for(
            self.partner_id, self.programme_id, self
        )

    def _open_move(self):
        return self.env["spar.move.wizard"]._open_for(self)

    def _open_account(self):
        if not self.account_id:
            return self._open_person()
        return self._open_record(self.account_id)

    def _open_person(self):
        return self._open_record(self.partner_id)

    def _open_record(self, record):
        return {
            "type": "ir.actions.act_window",
            "name": record.display_name,
            "res_model": record._name,
            "res_id": record.id,
            "view_mode": "form",
        }


_SOLUTIONS: dict[str, Callable] = {
    "conflict": SparRegistryTask._open_address,
    "failed": SparRegistryTask._open_account,
    "consent_withdrawn": SparRegistryTask._open_removal,
    "identity_replaced": SparRegistryTask._open_move,
    "identity_expired": SparRegistryTask._open_move,
    "merged": SparRegistryTask._open_address,
    "disabled": SparRegistryTask._open_suspension,
    "died": SparRegistryTask._open_suspension,
    "no_head": SparRegistryTask._open_person,
    "no_recipient": SparRegistryTask._open_person,
    "drift": SparRegistryTask._open_address,
}
