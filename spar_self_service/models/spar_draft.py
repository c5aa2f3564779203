import json
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.keyring import bind

from ..exceptions import DraftClosed, DraftOutdated, NoSuchDraft
from ..lib.steps import Answers

#: How long a draft is kept for a person who lost the connection.
LIFETIME = timedelta(hours=24)
_PURPOSE = "self-service draft"


class SparDraft(models.Model):
    """A change that a person intends to make, kept between pages with sealed answers.

    A draft belongs to one person, or to the officer who helps one. Each answer makes a
    new version, and what is sent with an older one is refused: a double click, the back
    button or a second window changes nothing by accident.
    """

    _name = "spar.draft"
    _description = "Draft of a beneficiary"
    _inherit = ["spar.sealed.storage"]
    _rec_name = "uuid"

    uuid = fields.Char(required=True, readonly=True)
    owner_key = fields.Char(readonly=True, index=True, help="The person's reference.")
    officer_id = fields.Many2one("res.users", readonly=True, ondelete="cascade")
    operation = fields.Selection(
        [("set", "Choose an address"), ("remove", "Remove the address")],
        required=True,
        readonly=True,
    )
    version = fields.Integer(required=True, readonly=True, default=1)
    base_version = fields.Integer(
        readonly=True, help="Of the address that the person saw; 0: there was none."
    )
    state = fields.Selection(
        [("open", "Open"), ("done", "Closed")],
        required=True,
        readonly=True,
        default="open",
    )
    outcome = fields.Char(readonly=True)
    problem = fields.Char(readonly=True)
    closed_at = fields.Datetime(readonly=True)

    _uuid_uniq = models.UniqueIndex("(uuid)", "A reference is given once.")
    _one_owner = models.Constraint(
        "CHECK ((owner_key IS NULL) <> (officer_id IS NULL))",
        "A draft belongs to a person or to an officer.",
    )

    # === SEALED ANSWERS === #

    def _get_seal_contexts(self, keyring, row_ids):
        query = SQL(
            "SELECT id, uuid, version FROM spar_draft WHERE id = ANY(%s)", list(row_ids)
        )
        return {
            row_id: (_PURPOSE, bind(_PURPOSE, uuid, version))
            for row_id, uuid, version in self.env.execute_query(query)
        }

    def _get_answers(self) -> Answers:
        """Return the answers given so far; none where they cannot be unsealed."""
        self.ensure_one()
        self.flush_recordset()
        query = SQL("SELECT sealed FROM spar_draft WHERE id = %s", self.id)
        sealed = self.env.execute_query(query)[0][0]
        if sealed is None:
            return Answers()
        keyring = self.env["spar.keyring"]._open()
        purpose, context = self._get_seal_contexts(keyring, self.ids)[self.id]
        try:
            text = keyring.unseal(purpose, bytes(sealed), context)
        except SealBroken:
            return Answers()
        return Answers.from_json(json.loads(text))

    def _set_answers(self, answers: Answers) -> None:
        """Store the answers as a new version."""
        self.ensure_one()
        self.version += 1
        self.flush_recordset()
        keyring = self.env["spar.keyring"]._open(for_write=True)
        purpose, context = self._get_seal_contexts(keyring, self.ids)[self.id]
        sealed = keyring.seal(purpose, json.dumps(answers.to_json()), context)
        self._write_sealed(sealed)

    def _write_sealed(self, sealed: bytes | None) -> None:
        self.env.cr.execute(
            "UPDATE spar_draft SET sealed = %s WHERE id = %s", (sealed, self.id)
        )

    # === LIFE CYCLE === #

    @api.model
    def _open_draft(self, operation: str, base_version: int, **owner):
        """Open a draft of ``owner_key`` or ``officer_id``, closing their older ones."""
        domain = [(name, "=", value) for name, value in owner.items()]
        self.search([*domain, ("state", "=", "open")])._close("abandoned")
        values = {"uuid": uuid4().hex, "operation": operation, **owner}
        return self.create({**values, "base_version": base_version})

    @api.model
    def _find_draft(self, uuid: str, **owner):
        """Return the draft of ``owner_key`` or ``officer_id``; raises NoSuchDraft."""
        since = fields.Datetime.now() - LIFETIME
        domain = [("uuid", "=", uuid), ("create_date", ">=", since)]
        draft = self.search(domain + [(k, "=", value) for k, value in owner.items()])
        if not draft:
            raise NoSuchDraft()
        return draft

    @api.model
    def _find_unfinished(self, owner_key: str):
        """Return the person's open draft with at least one answer, or none."""
        return self.search(
            [
                ("owner_key", "=", owner_key),
                ("state", "=", "open"),
                ("operation", "=", "set"),
                ("version", ">", 1),
                ("create_date", ">=", fields.Datetime.now() - LIFETIME),
            ],
            limit=1,
        )

    def _lock_version(self, version: int) -> None:
        """Lock the draft for a change of this version.

        Raises DraftClosed, and DraftOutdated for any version but the latest.
        """
        # This waits, unlike Odoo's own lock, so that a double click's second request is
        # answered, too.
        query = SQL("SELECT id FROM spar_draft WHERE id = %s FOR UPDATE", self.id)
        self.env.execute_query(query)
        self.invalidate_recordset()
        if self.state != "open":
            raise DraftClosed()
        if self.version != version:
            raise DraftOutdated()

    def _close(self, outcome: str, problem: str = "") -> None:
        """Close drafts and erase their answers."""
        self.write(
            {
                "state": "done",
                "outcome": outcome,
                "problem": problem,
                "closed_at": fields.Datetime.now(),
            }
        )
        for draft in self:
            draft._write_sealed(None)

    @api.autovacuum
    def _gc_drafts(self):
        """Delete drafts that have expired."""
        self.search([("create_date", "<", fields.Datetime.now() - LIFETIME)]).unlink()
