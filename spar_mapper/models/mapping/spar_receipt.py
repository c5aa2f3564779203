from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from ...lib.evidence import get_number
from ...lib.receipt import write_receipt_number
from ...lib.witnesses import HEARD

#: Kinds of events with which something is handed over or changed at the desk.
RECEIPT_KINDS = (
    "linked",
    "proposed",
    "updated",
    "updated_suspended",
    "unlinked",
    "suspended",
    "resumed",
    "held",
    "withdrawn",
    "change_cancelled",
    "change_refused",
    "objected",
    "lock_lifted",
)


class SparReceipt(models.AbstractModel):
    """The receipt of an event, which the person takes home.

    It shows what everybody may see who may read the event: masked values, and no ID.
    """

    _name = "report.spar_mapper.receipt"
    _description = "Receipt"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Return the receipts of events; raises AccessError and UserError."""
        events = self.env["spar.event"].browse(docids).exists()
        events.check_access("read")
        if not events or set(events.mapped("kind")) - set(RECEIPT_KINDS):
            raise UserError(self.env._("There is no receipt for this."))
        return {"receipts": [self._build_receipt(event) for event in events]}

    @api.model
    def _print_last(self, person) -> dict:
        """Return the action that prints the receipt of a person's last change."""
        domain = [("subject_id", "=", person.id), ("kind", "in", RECEIPT_KINDS)]
        event = self.env["spar.event"].search(domain, order="id desc", limit=1)
        if not event:
            raise UserError(
                self.env._("There is no receipt: nothing was changed here yet.")
            )
        return self._print("spar_mapper.spar_receipt_report", event.ids)

    @api.model
    def _print(self, report: str, row_ids: list[int]) -> dict:
        """Return the action that prints a report, by its external ID.

        A server that makes no PDF files opens it as a page, which the browser prints.
        """
        # Officers read no reports, unless an addon such as mail lets everybody do so.
        report_sudo = self.env.ref(report).sudo()
        if report_sudo.get_wkhtmltopdf_state() in ("ok", "upgrade"):
            return report_sudo.report_action(row_ids, config=False)
        numbers = ",".join(map(str, row_ids))
        return {
            "type": "ir.actions.act_url",
            "url": f"/report/html/{report_sudo.report_name}/{numbers}",
            "target": "new",
        }

    @api.model
    def _build_receipt(self, event) -> dict:
        change = self._find_change(event)
        return {
            "number": write_receipt_number(event.id),
            # Not left to the template: no expression reads a record of ours.
            "date": format_datetime(self.env, event.happened_at),
            "actor_name": event.actor_name,
            "text": self._get_text(event, change),
            "id_masked": event.mapping_id.id_masked,
            "provisional": event.subject_id.provisional_ids.reference,
            "was_read": self._was_read(event),
            "fa_masked": change.fa_masked or self._get_masked(event),
            "late_text": event.late_text,
            "days": self.env["spar.mapper.local"]._get_objection_days(),
        }

    @api.model
    def _find_change(self, event):
        """Return the change that began to wait with ``event``, if one did."""
        if event.kind != "held":
            return self.env["spar.change"]
        changes = event.mapping_id.change_ids
        return changes.filtered(lambda one: one.proposed_at == event.happened_at)[:1]

    @api.model
    def _was_read(self, event) -> bool:
        """Return whether the change was read aloud to the person, before a witness."""
        is_by_staff = event.channel == "staff"
        evidence = is_by_staff and get_number(event.message_reference or "")
        heard = [("evidence", "=", evidence), ("kind", "=", HEARD)]
        witnesses_sudo = self.env["spar.witness"].sudo()
        return bool(evidence and witnesses_sudo.search_count(heard, limit=1))

    @api.model
    def _get_masked(self, event) -> str:
        has_address = event.period_id.state != "ended"
        return event.period_id.fa_masked if has_address else ""

    @api.model
    def _get_text(self, event, change) -> str:
        """Return what was done, in one sentence for the person."""
        if change:
            return self._get_waiting_texts().get(change.operation, "")
        return self._get_texts().get(event.kind, "")

    @api.model
    def _get_texts(self) -> dict[str, str]:
        return {
            "linked": self.env._("Your payments go to this address from now on."),
            "proposed": self.env._(
                "You gave us this address. A second person checks it first: nothing is "
                "paid to it yet."
            ),
            "updated": self.env._(
                "Your address was changed. Your payments go to this address from now "
                "on."
            ),
            "updated_suspended": self.env._(
                "Your address was changed. Your payments are suspended at present."
            ),
            "unlinked": self.env._("Your address was removed. Nothing is paid to it."),
            "suspended": self.env._("Your payments to this address are suspended."),
            "resumed": self.env._("Your payments go to this address again."),
            "withdrawn": self.env._("The address that was waiting does not count."),
            "change_cancelled": self.env._(
                "The change that was waiting was withdrawn."
            ),
            "change_refused": self.env._("The change that was waiting was refused."),
            "objected": self.env._("You reported that something was not your doing."),
            "lock_lifted": self.env._(
                "Your lock was lifted: others can change your address again."
            ),
        }

    @api.model
    def _get_waiting_texts(self) -> dict[str, str]:
        """Return what was handed in and waits, by operation."""
        return {
            "update": self.env._(
                "You asked for this address. It waits: until it is approved, your "
                "payments go to the previous address."
            ),
            "unlink": self.env._(
                "Your address is to be removed. This waits: until it is approved, your "
                "payments continue."
            ),
            "suspend": self.env._(
                "Your payments are to be suspended. This waits: until it is approved, "
                "they continue."
            ),
            "resume": self.env._(
                "Your payments are to go on. This waits: until it is approved, nothing "
                "is paid."
            ),
            "unlock": self.env._(
                "Your lock is to be lifted. This waits: until it is approved, others "
                "cannot change your address."
            ),
        }
