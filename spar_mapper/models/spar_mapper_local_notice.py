from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import NoSuchNotice
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    NoticeInfo,
    ObjectionAnswer,
    ObjectionRequest,
)
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier


class SparMapperLocal(models.AbstractModel):
    """What the holder of a notice's link is shown, and can do."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _read_notice(self, token: str) -> NoticeInfo:
        row = self._fetch_notice(token)
        return NoticeInfo(
            row["kind"],
            row["happened_at"],
            row["link_expires_at"],
            self._build_objection_answer(row["reference"], row["remedy"], row["state"]),
        )

    @api.model
    def _object_to_notice(self, call: CallContext, token: str) -> ObjectionAnswer:
        """The event is objected to once, so the link does once what it can do."""
        row = self._fetch_notice(token)
        keyring = self.env["spar.keyring"]._open(for_write=True)
        opened = self.env["spar.subject.id"]._unseal_ids(
            keyring, [row["identifier_id"]]
        )
        if row["identifier_id"] not in opened:
            raise NoSuchNotice("its ID does not open")
        id_value = StoredIdentifier(opened[row["identifier_id"]], row["type_id"])
        request = ObjectionRequest(id_value, row["period"], row["seq"])
        return self._object_to(call, request)

    @api.model
    def _fetch_notice(self, token: str) -> dict:
        """The event behind a link; raises NoSuchNotice for any that is not good."""
        self._check_channel()
        keyring = self.env["spar.keyring"]._open()
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT n.link_expires_at, e.kind, e.happened_at, e.seq,
                          m.uuid AS period, m.identifier_id, i.type_id,
                          o.uuid AS reference, o.remedy, o.state
                     FROM spar_notice n
                     JOIN spar_event e ON e.id = n.event_id
                     JOIN spar_mapping m ON m.id = e.mapping_id
                     JOIN spar_subject_id i ON i.id = m.identifier_id
                     LEFT JOIN spar_objection o ON o.event_id = e.id
                    WHERE n.link_digest = %s AND n.link_expires_at > %s""",
                keyring.link_digest(token),
                self._get_now(),
            )
        )
        if not rows:
            raise NoSuchNotice("unknown or over")
        return rows[0]
