from odoo import api, models
from odoo.tools import SQL

from ...exceptions import TakesPart
from ...lib.evidence import get_number
from ...lib.parties import (
    COLLECTOR,
    FILLER,
    Party,
    build_witness_party,
    find_part,
)
from ...lib.transitions import MERGED_WITH
from ...lib.witnesses import VOUCHED


class SparCaseParties(models.AbstractModel):
    """Who takes part in a change or in a person's case: nobody does so twice.

    What was typed about witnesses and collectors is opened for the comparison alone.
    """

    _name = "spar.case.parties"
    _description = "Who takes part in a case"

    @api.model
    def _get_party(self, user, part: str = "") -> Party:
        """Return a user as a party."""
        user_sudo = user.sudo()
        numbers = tuple(filter(None, (user_sudo.partner_id.phone,)))
        return Party(part, f"user:{user.id}", user_sudo.name or "", numbers)

    @api.model
    def _check(self, actor: str, parties: list[Party]) -> None:
        """Raise TakesPart if the user of a call's actor is one of ``parties``."""
        kind, _colon, number = actor.partition(":")
        if kind != "user" or not number.isdecimal():
            return
        user = self.env["res.users"].browse(int(number)).exists()
        person = self._get_party(user) if user else Party(reference=actor)
        part = find_part(person, parties)
        if part:
            raise TakesPart(part)

    # === WHO IT IS === #

    @api.model
    def _list_of_change(self, change) -> list[Party]:
        """Return who takes part in a waiting change, besides those who proposed it.

        The store itself compares those.
        """
        subject = change.mapping_id.subject_id
        evidence = get_number(change.message_reference or "")
        return [
            *self._list_fillers(subject, change.reason or ""),
            *self._list_witnesses(subject, evidence),
            *self._list_collectors(subject),
        ]

    @api.model
    def _list_of_person(self, subject) -> list[Party]:
        """Return who vouched for a person, and who acts or collects for them."""
        return [*self._list_witnesses(subject), *self._list_collectors(subject)]

    @api.model
    def _list_ever(self, subject) -> list[Party]:
        """Return who was a witness of a person at any time, or collects for them."""
        people_sudo = subject.sudo().browse(self._list_records(subject.id))
        witnesses_sudo = people_sudo.witness_ids
        opened = witnesses_sudo._open_all() if witnesses_sudo else {}
        return [
            *(build_witness_party(one) for _row, one in sorted(opened.items())),
            *self._list_collectors(people_sudo),
        ]

    @api.model
    def _list_records(self, subject_id: int) -> list[int]:
        """Return a person's records: this one, and those that were merged into it."""
        query = SQL(
            """SELECT EXISTS (
                      SELECT FROM spar_event WHERE subject_id = %s AND kind = %s)""",
            subject_id,
            MERGED_WITH,
        )
        ((has_others,),) = self.env.execute_query(query)
        if not has_others:
            return [subject_id]
        query = SQL("SELECT id FROM spar_subject WHERE merged_into = %s", subject_id)
        others = [row_id for (row_id,) in self.env.execute_query(query)]
        return [subject_id, *sorted(others)]

    @api.model
    def _list_fillers(self, subject, reason: str) -> list[Party]:
        """Return who filled in the paper form of a change, which has its reason."""
        query = SQL(
            "SELECT filler FROM spar_paper_form WHERE subject_id = %s AND reason = %s",
            subject.id,
            reason,
        )
        rows = self.env.execute_query(query)
        return [Party(FILLER, filler) for (filler,) in rows if filler]

    @api.model
    def _list_witnesses(self, subject, evidence: str = "") -> list[Party]:
        """Return who vouched for a person, and who heard what ``evidence`` is about."""
        query = SQL(
            """SELECT id FROM spar_witness
                WHERE subject_id = ANY(%s) AND (kind = %s OR evidence = %s)""",
            subject.ids,
            VOUCHED,
            evidence or None,
        )
        found = [row_id for (row_id,) in self.env.execute_query(query)]
        witnesses_sudo = self.env["spar.witness"].sudo().browse(found)
        opened = witnesses_sudo._open_all() if found else {}
        return [build_witness_party(one) for _row, one in sorted(opened.items())]

    @api.model
    def _list_collectors(self, subject) -> list[Party]:
        """Return who acts or collects for a person, or waits to be approved."""
        rows_sudo = self.env["spar.representative"].sudo()
        found_sudo = rows_sudo.search(
            [
                ("subject_id", "in", subject.ids),
                ("state", "in", ("waiting", "active")),
            ]
        )
        opened = found_sudo._open_verified() if found_sudo else {}
        return [self._build_collector(texts) for _row, texts in sorted(opened.items())]

    @api.model
    def _build_collector(self, texts: dict[str, str]) -> Party:
        numbers = (texts.get("identifier") or "", texts.get("phone") or "")
        return Party(COLLECTOR, name=texts.get("name") or "", numbers=numbers)
