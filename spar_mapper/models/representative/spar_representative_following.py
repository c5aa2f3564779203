import json
from collections import Counter
from dataclasses import replace

from odoo import api, models
from odoo.tools import SQL, format_date

from odoo.addons.spar_mapper_connector.lib.contract import CallContext

from ...lib.representative import build_reference
from ...lib.transitions import REPRESENTATIVE_TAKEN

#: States in which somebody counts, or may count later.
OPEN = ("waiting", "active")


class SparRepresentativeFollowing(models.AbstractModel):
    """Who acts for a record that was merged acts for the record that stays.

    Nobody is chosen: if both records have a guardian, both stay, each until their own
    last day, and the person's page says so.
    """

    _name = "spar.representative.following"
    _description = "What a merge takes along"

    @api.model
    def _follow_merged(self, call: CallContext) -> None:
        """Move those who count to the people into whom theirs were merged.

        One that was altered stays where it is, with an alarm. Raises
        ServiceUnavailable without keys.
        """
        query = SQL(
            """SELECT r.id, s.merged_into
                 FROM spar_representative r JOIN spar_subject s ON s.id = r.subject_id
                WHERE s.merged_into IS NOT NULL AND r.state = ANY(%s)
                ORDER BY r.id FOR UPDATE OF r""",
            list(OPEN),
        )
        # A merge goes to the one who stays: nobody is merged into a merged record.
        owners = dict(self.env.execute_query(query))
        rows_sudo = self.sudo().browse(owners)
        rows_sudo.invalidate_recordset()
        for row_id, texts in rows_sudo._open_verified().items():
            owner_sudo = self.env["spar.subject"].sudo().browse(owners[row_id])
            rows_sudo.browse(row_id)._move(call, owner_sudo, json.dumps(texts))

    def _move(self, call: CallContext, owner, text: str) -> None:
        """Move one to ``owner``, with an event of the owner that commits to it."""
        terms = (self.uuid, owner.uuid, self.kind_id.id, self.until.isoformat())
        said = self.env._(
            "%(kind)s until %(day)s, from a record of the same person",
            kind=self.kind_id.name,
            day=format_date(self.env, self.until),
        )
        noted = replace(call, reason=said, message_reference=build_reference(self.uuid))
        sealed = self._seal_value(text, *terms)
        self._note(noted, REPRESENTATIVE_TAKEN, subject_id=owner.id, sealed=sealed)

    def _describe(self) -> str:
        """Return a sentence on each one who counts, has expired or waits.

        Several of one kind are pointed out: they may be of two records that were
        merged.
        """
        shown = self.filtered(
            lambda row: row.standing in ("active", "expired", "waiting", "unreadable")
        )
        texts = [
            f"{row.kind_id.name} {row.name_masked or ''}: {row.standing_text}"
            for row in shown
        ]
        active = shown.filtered(lambda row: row.standing == "active")
        for kind, count in Counter(row.kind_id for row in active).items():
            if count > 1:
                texts.append(
                    self.env._(
                        "%(kind)s: %(count)s people count at the same time. Check "
                        "their documents, and end whoever should not.",
                        kind=kind.name,
                        count=count,
                    )
                )
        return " ".join(texts)
