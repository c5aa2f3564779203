from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    DRAFT,
    sealed_text,
)

from ..lib.records import IN_FORCE
from ..lib.spellings import squeeze
from ..models.staff.spar_lookup import FoundPlace
from .spar_confirm_once import Compared


class SparAccountEntry(models.AbstractModel):
    """An address whose number is typed twice and compared with those in force.

    A mistyped number pays somebody else, and so does the account of whoever sits at the
    desk. The form therefore asks for the number again, and asks why if other people are
    paid to the same account.
    """

    _name = "spar.account.entry"
    _description = "Account typed twice"
    _inherit = ["spar.address.entry"]

    fa_text_again = sealed_text(
        "fa_text_again",
        string="Full address again",
        help="Type it again from the document; do not copy it.",
    )
    shared_count = fields.Integer(
        string="Other people with this account", readonly=True
    )
    shared_digest = fields.Char(string="Digest of the shared account", readonly=True)
    shared_reason = sealed_text(
        "shared_reason",
        string="Why this account is shared",
        help="For example: a married couple, or the guardian of a child. Kept in the "
        "history, unencrypted.",
    )

    # === TYPED TWICE === #

    def _check_typed_twice(self) -> None:
        """Raise UserError unless each number was typed twice in the same way.

        Gaps, and the case of letters, do not count.
        """
        for label, first, again in self._get_repeated():
            if not again:
                raise UserError(
                    self.env._(
                        "%(part)s: enter it a second time, from the document.",
                        part=label,
                    )
                )
            if squeeze(first or "").casefold() != squeeze(again).casefold():
                raise UserError(
                    self.env._(
                        "%(part)s: the two entries differ. Compare both with the "
                        "document, and correct the one that is wrong.",
                        part=label,
                    )
                )

    def _get_repeated(self) -> list[tuple[str, str, str]]:
        """Return label, first and second text of what must be typed twice."""
        if not self.fa_type_id:
            label = self._fields["fa_text"]._description_string(self.env)
            return [(label, self.fa_text, self.fa_text_again)]
        lines = self.part_ids.filtered("asks_twice")
        return [(line.label, line.value, line.value_again) for line in lines]

    def _get_typed_texts(self):
        typed = [self.fa_text_again, *self.part_ids.mapped("value_again")]
        return [*super()._get_typed_texts(), *filter(None, typed)]

    # === ACCOUNT OF OTHER PEOPLE === #

    def _find_sharing(
        self, fa: str | None, id_value: str, compared: Compared
    ) -> list[FoundPlace]:
        """Return the places in force of other people who are paid to ``fa``.

        There are none for a new link of somebody who is linked: it is refused anyway.
        The search is added to ``compared``: see ``_count_unless_saved``.
        """
        if not fa:
            return []
        mappings = self.env["spar.mapping"]
        places = mappings._find_by_ids([id_value])
        if self.operation == "link" and self._is_linked(places):
            return []
        own = {place.subject_id for place in places}
        in_force = mappings._find_alike_in_force(fa)
        compared.append(("account", fa, in_force))
        return [place for place in in_force if place.subject_id not in own]

    @api.model
    def _is_linked(self, places: list[FoundPlace]) -> bool:
        """Return whether one of ``places`` has the address for any purpose now."""
        domain = [
            ("id", "in", [place.mapping_id for place in places]),
            ("purpose", "=", ""),
            ("state", "in", IN_FORCE),
        ]
        return bool(self.env["spar.mapping"].search_count(domain, limit=1))

    def _must_explain_sharing(self, fa: str, places: list[FoundPlace]) -> bool:
        """Return whether other people have the account and no reason was given.

        A reason counts only for the account and the number of people that it was given
        for.
        """
        if self._may_share(places):
            return False
        count = self._count_people(places)
        digest = self._digest_draft(f"{count} {fa}")
        if self.shared_digest == digest and (self.shared_reason or "").strip():
            return False
        self._as_code().write({"shared_count": count, "shared_digest": digest})
        return True

    @api.model
    def _count_people(self, places: list[FoundPlace]) -> int:
        return len({place.subject_id for place in places})

    @api.model
    def _may_share(self, places: list[FoundPlace]) -> bool:
        """Return whether one more person may be paid there without a reason.

        A phone is often shared in a household. The kind of the address says how many
        people are usual; beyond that it may be somebody who collects for others.
        """
        if not places:
            return True
        query = SQL(
            """SELECT DISTINCT p.fa_type_id FROM spar_mapping m
                 JOIN spar_mapping_period p ON p.id = m.period_id
                WHERE m.id = ANY(%s)""",
            [place.mapping_id for place in places],
        )
        ids = [type_id for (type_id,) in self.env.execute_query(query) if type_id]
        types_sudo = self.env["spar.fa.type"].sudo().browse(ids)._filter_true()
        return self._count_people(places) < types_sudo._get_people_per_address()

    def _note_sharing(self, action: dict, places: list[FoundPlace]) -> dict:
        """Return ``action`` with a note that others are paid to the same phone."""
        if places and self._may_share(places):
            note = self.env._(
                "Other people who are paid to this phone: %(count)s. That is usual in "
                "a household.",
                count=self._count_people(places),
            )
            message = action["params"]["message"]
            action["params"]["message"] = f"{message} {note}"
        return action

    def _digest_draft(self, typed: str) -> str:
        """Return a digest that identifies a text in this form and reveals nothing."""
        keyring = self.env["spar.keyring"]._open()
        return keyring.digest(DRAFT, f"{self.uuid} {typed}").hex()
