from dataclasses import dataclass

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.spar_mapper_connector.exceptions import MapperError, SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    Outcome,
    ResolveRequest,
    Result,
)

from ...exceptions import NoIdentity, SharedIdentity
from ...lib.calls import build_call
from ...lib.identity import RegistryIdentity
from ...lib.outbox import EntryState

_MANAGER = "spar_registry.group_programme_manager"
#: The ends of an entry after which its move has to be proposed again.
_FAILED = (EntryState.SUPERSEDED, EntryState.CONFLICT, EntryState.GIVEN_UP)


@dataclass(frozen=True)
class MovedIds:
    """The IDs of a move; ``new`` is the one by which the person is paid now."""

    old: RegistryIdentity
    new: RegistryIdentity


class SparIdentityMove(models.AbstractModel):
    """The move of an address to the ID that replaces another one, by two people.

    One person proposes it, another approves. Then the outbox links the new ID, and once
    the mapper has confirmed that, removes the address from the old one. An address that
    changed in the meantime, at either ID, is a conflict: it stands.
    """

    _name = "spar.identity.move"
    _description = "Move of an address to another ID"

    # === THE IDS === #

    @api.model
    def _get_ids(self, task) -> MovedIds:
        """Return the IDs of a move; raises UserError if it cannot be made."""
        try:
            kept = task.sudo()._get_ids().get("old")
        except SealBroken as error:
            raise UserError(
                self.env._("This task was altered outside Odoo. Dismiss it.")
            ) from error
        if not kept:
            raise UserError(
                self.env._(
                    "The old ID is not known here. Collect the account for the new ID, "
                    "and ask the registry to remove the old one."
                )
            )
        row_id, type_id, id_value = kept
        old = RegistryIdentity(row_id, task.partner_id.id, type_id, id_value)
        return MovedIds(old, self._choose_new(task, old))

    @api.model
    def _choose_new(self, task, old: RegistryIdentity) -> RegistryIdentity:
        person = task.partner_id
        others = [
            identity
            for identity in person._spar_identities()[person.id]
            if identity.id_value != old.id_value
        ]
        types = task.programme_id.id_type_ids.ids
        try:
            return person._spar_choose_identity(others, types)
        except NoIdentity as error:
            raise UserError(
                self.env._("The person has no other ID in use. Add the new ID first.")
            ) from error
        except SharedIdentity as error:
            accounts = self.env["spar.payment.account"]
            raise UserError(accounts._get_refusal(error.code)) from error

    # === TWO PEOPLE === #

    @api.model
    def _propose(self, task) -> None:
        """Propose the move that a task is about; raises UserError."""
        task.check_access("write")
        if task.state != "open":
            raise UserError(self.env._("This move has already been proposed."))
        new = self._get_ids(task).new
        task_sudo = task.sudo()
        task_sudo._keep_ids(new=[new.row_id, new.type_id, new.id_value])
        task_sudo.write(
            {
                "state": "proposed",
                "proposed_by": self.env.uid,
                "proposed_at": fields.Datetime.now(),
            }
        )

    @api.model
    def _withdraw(self, task) -> None:
        """Open a proposed move again: it was withdrawn, or refused."""
        task.check_access("write")
        if task.state == "proposed":
            task.sudo().write(
                {"state": "open", "proposed_by": False, "proposed_at": False}
            )

    @api.model
    def _approve(self, task) -> None:
        """Begin the move that another person proposed; raises UserError, AccessError.

        Nothing is done where the address in force cannot be read, or where the new ID
        has an address of its own.
        """
        self._check_approver(task)
        ids = self._get_ids(task)
        if task.sudo()._get_ids().get("new", [""])[-1] != ids.new.id_value:
            raise UserError(
                self.env._(
                    "The person's IDs changed after the move was proposed. Withdraw "
                    "it, and propose it again."
                )
            )
        self._check_consent(task)
        fa = self._read_movable(task, ids)
        account_sudo = self._collect_sudo(task, fa)
        account_sudo._queue_for(task.partner_id, ids.new, base=b"")
        task.sudo().write({"state": "moving", "approved_by": self.env.uid})

    @api.model
    def _check_approver(self, task) -> None:
        task.check_access("write")
        if not self.env.user.has_group(_MANAGER):
            raise AccessError(
                self.env._("Only a programme manager approves the move of an address.")
            )
        task_sudo = task.sudo()
        task_sudo.lock_for_update()
        task_sudo.invalidate_recordset()
        if task_sudo.state != "proposed":
            raise UserError(self.env._("This move is not waiting for approval."))
        if task_sudo.proposed_by == self.env.user:
            raise UserError(
                self.env._("You proposed this move: another manager approves it.")
            )
        acts_sudo = self.env["spar.account.act"].sudo()
        doubt = acts_sudo._find_dependence(
            self.env.user, task_sudo.proposed_by, task_sudo.proposed_at
        )
        if doubt:
            raise UserError(
                self.env._(
                    "You cannot approve a move proposed by %(proposer)s: %(reason)s. "
                    "Another manager must decide.",
                    proposer=task_sudo.proposed_by.name,
                    reason=doubt,
                )
            )

    @api.model
    def _check_consent(self, task) -> None:
        """Raise UserError where somebody for whom the person is paid withdrew it."""
        accounts = self.env["spar.payment.account"].search(
            [
                ("payee_id", "=", task.partner_id.id),
                ("programme_id", "=", task.programme_id.id),
            ]
        )
        consents = self.env["spar.consent"]
        if consents._find_withdrawn(task.programme_id, accounts.partner_id.ids):
            raise UserError(self.env["spar.payment.account"]._get_refusal("no_consent"))

    @api.model
    def _read_movable(self, task, ids: MovedIds) -> str:
        """Return the address at the old ID; raises UserError if it cannot be moved."""
        old, new = (self._resolve(task, one) for one in (ids.old, ids.new))
        if old.outcome is not Outcome.FOUND or not old.fa:
            raise UserError(
                self.env._(
                    "The old ID has no address in force, or payments to it are "
                    "suspended: there is nothing to move."
                )
            )
        is_free = new.outcome is Outcome.NOT_LINKED
        if not is_free and (new.outcome is not Outcome.FOUND or not new.fa):
            raise UserError(
                self.env._("The registry does not accept the new ID. Check it first.")
            )
        if not is_free and not self._are_same(old.fa, new.fa):
            raise UserError(
                self.env._(
                    "The new ID has another address of its own. Ask the person which "
                    "one counts, and collect that account."
                )
            )
        return old.fa

    @api.model
    def _are_same(self, *texts: str | None) -> bool:
        formed = self.env["spar.fa.strategy"]._canonicalise_addresses(
            [text or "" for text in texts]
        )
        return len({one.key for one in formed}) == 1

    @api.model
    def _resolve(self, task, identity: RegistryIdentity) -> Result:
        """Return what is in force for an ID; raises UserError without an answer."""
        id_type = self.env["spar.id.type"].browse(identity.type_id)
        mapper_sudo = self.env["spar.mapper.backend"]._get_mapper(id_type).sudo()
        request = ResolveRequest(
            identity.id_value, purpose=task.programme_id.purpose or ""
        )
        call = build_call(self.env.uid)
        try:
            (result,) = mapper_sudo._resolve_fa(call, [request])
        except MapperError as error:
            answers = self.env["spar.staff.answers"]
            raise UserError(answers._get_error_text(error)) from error
        return result

    @api.model
    def _collect_sudo(self, task, fa: str):
        """Return the account that a step of the move sends; "" removes the old one."""
        accounts_sudo = self.env["spar.payment.account"].sudo()
        return accounts_sudo._collect(
            task.partner_id,
            fa,
            programme_id=task.programme_id.id,
            origin="move",
            collected_by=task.sudo().approved_by.id or self.env.uid,
            task_id=task.id,
        )

    # === AFTER EACH STEP === #

    @api.model
    def _continue(self, accounts, state: EntryState) -> None:
        """Go on with the moves whose accounts have reached a state at the mapper."""
        for account in accounts.filtered("task_id"):
            task_sudo = account.task_id.sudo()
            if task_sudo.state != "moving":
                continue
            if state in _FAILED:
                task_sudo.write({"state": "open", "reason": account.reason_text})
            elif state is EntryState.DONE and account.operation == "set":
                self._remove_old(task_sudo, account)
            elif state is EntryState.DONE:
                task_sudo._close("done", self.env._("Moved to the new ID."))

    @api.model
    def _remove_old(self, task_sudo, account) -> None:
        """Remove from the old ID the address that the new one has now."""
        row_id, type_id, id_value = task_sudo._get_ids()["old"]
        person = task_sudo.partner_id
        old = RegistryIdentity(row_id, person.id, type_id, id_value)
        removal_sudo = self._collect_sudo(task_sudo, "")
        removal_sudo._queue_for(person, old, base=account._get_confirmed_key())
