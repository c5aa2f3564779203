from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta

from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from odoo import fields, models
from odoo.tools import SQL, format_datetime

from odoo.addons.spar_mapper_connector.lib.contract import CallContext

from ..fields import BigMany2one
from ..models.staff.spar_lookup import FoundPlace

#: What a form has compared with stored values: the kind of search, the typed text, and
#: the places that it found.
Compared = list[tuple[str, str, list[FoundPlace]]]

#: How long the desk reports that the same request was saved before.
_SAME_REQUEST = timedelta(hours=1)


class SparConfirmOnce(models.AbstractModel):
    """A form that acts once, however often its button is pressed.

    After a lost connection nobody knows whether a press arrived: the next one answers
    that, and does nothing else.
    """

    _name = "spar.confirm.once"
    _description = "Form that acts once"

    done_at = fields.Datetime(string="Saved at", readonly=True)
    done_subject_id = BigMany2one("spar.subject", string="Saved for", readonly=True)

    def _is_done(self) -> bool:
        """Return whether this form has acted; another press waits for the first."""
        self.check_access("write")
        self.flush_recordset()
        query = SQL(
            "SELECT done_at FROM %s WHERE id = %s FOR UPDATE",
            SQL.identifier(self._table),
            self.id,
        )
        rows = self.env.execute_query(query)
        self.invalidate_recordset(["done_at", "done_subject_id"])
        return any(done_at for (done_at,) in rows)

    def _note_done(self, subject) -> None:
        done = {"done_at": fields.Datetime.now(), "done_subject_id": subject.id}
        self._as_code().write(done)

    def _report_saved(self, moment: datetime, subject) -> dict:
        """Tell the user that this was saved earlier; open the person's page."""
        text = self.env._(
            "This was saved at %(time)s, once. Nothing was done a second time.",
            time=format_datetime(self.env, moment),
        )
        action = self.env["spar.staff.answers"]._notify(text, is_warning=True)
        return self._go_to_person(action, subject)

    def _find_saved(self, call: CallContext, operation: str, fa, place):
        """Return when this user saved the same for ``place`` within an hour, or None.

        Only if that is still the last thing that happened there.
        """
        changes = place.event_ids.filtered(lambda event: event.kind != "revealed")
        if changes.sorted("seq")[-1:].actor != call.actor:
            return None
        if fa and not self._has_address(place, fa):
            return None
        query = SQL(
            """SELECT max(done_at) FROM spar_staff_act
                WHERE actor = %s AND operation = %s AND subject_id = %s
                  AND account_commitment IS NOT DISTINCT FROM %s AND done_at > %s""",
            call.actor,
            operation,
            place.subject_id.id,
            self._commit_account(fa),
            fields.Datetime.now() - _SAME_REQUEST,
        )
        ((moment,),) = self.env.execute_query(query)
        return moment

    def _has_address(self, place, fa: str) -> bool:
        """Return whether ``place`` has exactly this address, and not one alike."""
        found = self.env["spar.mapping"]._find_in_force([fa])
        return place.id in {one.mapping_id for one in found}

    def _commit_account(self, fa: str | None) -> bytes | None:
        if not fa:
            return None
        (key,) = self.env["spar.mapper.local"]._build_keys([fa])
        keyring = self.env["spar.keyring"]._open()
        return self.env["spar.staff.act"]._commit_account(keyring, key)

    def _go_to_person(self, action: dict, subject) -> dict:
        """Return ``action``, followed by the person's page unless that is open."""
        if subject and self.env.context.get("active_model") != "spar.subject":
            action["params"]["next"] = subject._open_page(subject)
        return action

    # === WHAT AN ANSWER REVEALS === #

    @contextmanager
    def _count_unless_saved(self) -> Iterator[Compared]:
        """Count what the body compares as searches, unless the form does its work.

        The body adds its searches to the yielded list. A question, and each refusal,
        say whether a typed ID or account is somebody's, as a search does: so a form
        that is always refused would be one for nothing. What is saved counts towards
        the limits of changes. Raises Redirection and LookupReasonNeeded, as a search
        does, whatever was found.
        """
        compared: Compared = []
        try:
            yield compared
        except Exception:
            self._count_compared(compared)
            raise
        if not self.done_at:
            self._count_compared(compared)

    def _count_compared(self, compared: Compared) -> None:
        """Count these searches, also where the transaction has failed."""
        lookups = self.env["spar.lookup"]
        status = self.env.cr.connection.info.transaction_status
        has_failed = status == TRANSACTION_STATUS_INERROR
        cursor = lookups._open_cursor() if has_failed else nullcontext(self.env.cr)
        with cursor as cr:
            lookups = lookups.with_env(self.env(cr=cr))
            for kind, text, places in compared:
                lookups._search_counted(kind, text, lambda places=places: places)
