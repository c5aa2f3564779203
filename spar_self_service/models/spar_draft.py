import json
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import SealBroken

from ..exceptions import DraftClosed, DraftOutdated, NoSuchDraft
from ..lib.steps import Answers

#: How long a draft is kept for a person who lost the connection.
LIFETIME = timedelta(hours=24)


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
    _seal_purpose = "self-service draft"
    _seal_prefix = ("self-service draft",)
    # Answers of an older version do not open.
    _seal_context_columns = ("uuid", "version")

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

    def _get_answers(self) -> Answers:
        """Return the answers given so far; none where they cannot be unsealed."""
        try:
            text = self._read_sealed()
        except SealBroken:
            return Answers()
        return Answers.from_json(json.loads(text)) if text else Answers()

    def _set_answers(self, answers: Answers) -> None:
        """Store the answers as a new version."""
        self.ensure_one()
        self.version += 1
        self._write_sealed(json.dumps(answers.to_json()))

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
        self._write_sealed(None)

    @api.autovacuum
    def _gc_drafts(self):
        """Delete drafts that have expired."""
        self.search([("create_date", "<", fields.Datetime.now() - LIFETIME)]).unlink()
