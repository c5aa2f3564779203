from collections.abc import Iterator
from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL
from odoo.tools.query import Query
from odoo.tools.sql import create_index

from odoo.addons.spar_fa_directory.lib.fa_mask import mask
from odoo.addons.spar_mapper_connector.clear_fields import ClearChar
from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    SealBroken,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier

from ...exceptions import LookupLimit
from ...lib.identity import RegistryIdentity, choose_identity
from ...rows import insert_rows, take_ids

#: The purposes of the seals and digests. They must never change.
IDENTITY = "registry_id"

#: Fields that only this model's own code writes.
_OURS = ("verified_by", "expiry_noticed")
#: Fields that decide by which of their IDs a person is paid.
_CHOOSING = {"active", "expires_on", "is_verified"}


#: The columns of an ID that is added without a form.
_COLUMNS = {
    "id": "int",
    "partner_id": "int",
    "id_type_id": "int",
    "is_verified": "bool",
    "active": "bool",
    "sealed": "bytea",
    "digest_a": "bytea",
    "digest_b": "bytea",
}


class SparPersonIdentity(models.Model):
    """An ID of a person, sealed and found by its digest.

    Two people may carry the same ID: a digest is not unique. Nothing is sent to the
    mapper for an ID that people share, see ``shared_count``.
    """

    _name = "spar.person.identity"
    _description = "ID of a person"
    _inherit = ["spar.of.person", "spar.sealed.storage"]
    _order = "is_verified desc, id"
    _rec_name = "masked"
    _digest_columns = ("digest_a", "digest_b")
    _seal_purpose = IDENTITY
    _seal_prefix = (IDENTITY,)
    _seal_context_columns = ("id", "partner_id", "id_type_id")

    partner_id = fields.Many2one(
        "res.partner", string="Person", required=True, index=True, ondelete="cascade"
    )
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        required=True,
        ondelete="restrict",
        default=lambda self: self._default_id_type_id(),
    )
    value = ClearChar(
        string="New ID",
        compute="_compute_value",
        inverse="_inverse_value",
        help="Enter the number on the card. It is stored encrypted and shown masked.",
    )
    masked = fields.Char(string="Masked ID", compute="_compute_masked")
    is_verified = fields.Boolean(
        string="Verified", help="Somebody compared the ID with the document."
    )
    verified_by = fields.Many2one("res.users", readonly=True, string="Verified by")
    expires_on = fields.Date(
        string="Expires on", help="The last day on which the document is valid."
    )
    #: The expiry about which a task was opened.
    expiry_noticed = fields.Date(readonly=True, string="Expiry noticed")
    active = fields.Boolean(default=True)
    state = fields.Selection(
        [("valid", "Valid"), ("expired", "Expired"), ("replaced", "Replaced")],
        compute="_compute_state",
    )
    shared_count = fields.Integer(
        string="Other people with this ID",
        compute="_compute_shared_count",
        help="Nothing is sent to the registry for an ID that several people have.",
    )

    _partner = models.Index("(partner_id, id_type_id) WHERE active")

    def init(self):
        result = super().init()
        # By digest: people who share an ID, and the person of an ID in a file.
        for column in self._digest_columns:
            name = f"{self._table}_{column}_index"
            create_index(self.env.cr, name, self._table, [column])
        return result

    @api.model
    def _default_id_type_id(self):
        return self.env["spar.id.type"].search([("strategy", "!=", False)], limit=1)

    # === THE VALUE === #

    def _compute_value(self):
        """Return nothing: a stored ID is shown masked only."""
        self.value = False

    def _inverse_value(self):
        for identity in self:
            if identity.value:
                identity._set_value(identity.value)

    @api.model_create_multi
    def create(self, vals_list):
        for values in vals_list:
            if not (values.get("value") or "").strip():
                raise UserError(self.env._("ID: enter the number on the card."))
        people = {values.get("partner_id") for values in vals_list} - {None, False}
        with self._notice_choice(self.env["res.partner"].browse(people)):
            as_code = super(SparPersonIdentity, self._as_code())
            new = as_code.create([self._prepare_new(values) for values in vals_list])
            return new.with_env(self.env)

    @api.model
    def _prepare_new(self, values: dict) -> dict:
        """Return the values of a new ID; who verified it is who creates it."""
        kept = {name: values[name] for name in values if name not in _OURS}
        usual = self.env.context.get("default_is_verified")
        if kept.get("is_verified", usual):
            kept["verified_by"] = self.env.uid
        return kept

    def write(self, vals):
        """Write; an ID is neither changed nor moved to another person or type.

        Whoever verified it compared the ID that it was.
        """
        if vals.get("value") and self._get_sealed_ids():
            raise UserError(
                self.env._("An ID cannot be changed. Archive it, and add a new one.")
            )
        if vals.keys() & {"partner_id", "id_type_id"}:
            raise UserError(
                self.env._("An ID cannot be moved. Archive it, and add a new one.")
            )
        if not self.env.su:
            vals = {name: vals[name] for name in vals if name not in _OURS}
        if "is_verified" in vals:
            vals = {**vals, "verified_by": vals["is_verified"] and self.env.uid}
        ending = self._get_ending(vals)
        is_choosing = bool(vals.keys() & _CHOOSING)
        people = self.partner_id if is_choosing else self.env["res.partner"]
        with self._notice_choice(people):
            result = super(SparPersonIdentity, self._as_code()).write(vals)
        for identity in ending:
            self.env["spar.life.events"]._notice_identity(identity, "identity_replaced")
        return result

    @api.model
    @contextmanager
    def _notice_choice(self, people) -> Iterator[None]:
        """Open a task for each person who is paid by another ID after the body.

        Whoever adds or verifies an ID could lead a person's payments to somebody
        else's. A move of the address takes two people.
        """
        before = self._find_chosen(people)
        yield
        after = self._find_chosen(people.browse(before))
        for person_id, identity in before.items():
            chosen = after.get(person_id)
            if chosen and chosen.row_id != identity.row_id:
                self.env["spar.life.events"]._notice_identity(
                    identity, "identity_replaced"
                )

    @api.model
    def _find_chosen(self, people) -> dict[int, RegistryIdentity]:
        """Return the ID by which each person is paid; those without one are omitted."""
        people_sudo = people.sudo()
        try:
            found = people_sudo._spar_identities() if people else {}
        except ServiceUnavailable:
            return {}
        chosen = {who: choose_identity(identities) for who, identities in found.items()}
        return {who: identity for who, identity in chosen.items() if identity}

    def _get_ending(self, vals) -> list[RegistryIdentity]:
        """Return, opened, those of these IDs that a write ends."""
        if vals.get("active", True):
            return []
        return list(self.filtered("active")._open_identities().values())

    def _set_value(self, text: str) -> None:
        """Seal an ID in its canonical form; raises ValidationError if it is none.

        Whoever enters it is shown who else has it, and where it is paid: it counts.
        """
        self.ensure_one()
        identifier, travelling = self._read_value(text.strip())
        self._charge_typed(travelling)
        self._write_sealed(travelling)
        keyring = self.env["spar.keyring"]._open(for_write=True)
        digests = keyring.digests(IDENTITY, identifier.canonical)
        self.env.cr.execute(
            SQL(
                "UPDATE spar_person_identity SET digest_a = %s, digest_b = %s"
                " WHERE id = %s",
                digests.get("a"),
                digests.get("b"),
                self.id,
            )
        )
        self.invalidate_recordset(["masked", "shared_count"])

    @api.model
    def _charge_typed(self, id_value: str) -> None:
        """Count an ID that was entered by hand; raises UserError."""
        try:
            self.env["spar.registry.lookup"]._charge(id_value)
        except LookupLimit as error:
            raise UserError(
                self.env._(
                    "ID: you have entered or looked up too many IDs in the last 24 "
                    "hours. Load the people from a file, ask a colleague to enter "
                    "this ID, or try again tomorrow."
                )
            ) from error

    @api.model
    def _add_batch(self, identifiers: dict[int, tuple[Identifier, str]]) -> None:
        """Give people an ID each, in a constant number of statements.

        :param identifiers: as they are stored and as they travel, by person

        Raises AccessError, KeyringUnavailable or KeyringMismatch.
        """
        self.check_access("create")
        people = self.env["res.partner"].browse(identifiers)
        people.check_access("read")
        keyring = self.env["spar.keyring"]._open(for_write=True)
        row_ids = take_ids(self.env, self._table, len(identifiers))
        rows = []
        for row_id, (partner_id, (found, travelling)) in zip(
            row_ids, identifiers.items(), strict=True
        ):
            context = self._build_seal_context(row_id, partner_id, found.type_id)
            digests = keyring.digests(IDENTITY, found.canonical)
            rows.append(
                (
                    row_id,
                    partner_id,
                    found.type_id,
                    False,
                    True,
                    keyring.seal(IDENTITY, travelling, context),
                    digests.get("a"),
                    digests.get("b"),
                )
            )
        insert_rows(self.env, self._table, _COLUMNS, rows)
        people.invalidate_recordset(["spar_identity_ids"])

    def _read_value(self, text: str) -> tuple[Identifier, str]:
        """Return a typed ID as it is stored and as it travels; raises ValidationError.

        It travels in the strategy of its type, its value in canonical spelling.
        """
        types = self.env["spar.id.type"]
        try:
            travelling = self.id_type_id._write_id(text)
            found = types._identify(travelling, CardCheck.PEOPLE)
            travelling = self.id_type_id._write_id(types._get_clean_value(travelling))
        except InvalidIdentifier as error:
            look = self.id_type_id.card_look
            text = (
                self.env._("ID: it must look like this: %(look)s.", look=look)
                if look
                else self.env._("ID: this is not a valid ID. Compare it with the card.")
            )
            raise ValidationError(text) from error
        if found.type_id != self.id_type_id.id:
            raise ValidationError(
                self.env._("ID: it is an ID of another type. Choose that type.")
            )
        return found, travelling

    # === DISPLAY === #

    @api.depends("id_type_id")
    def _compute_masked(self):
        """Open the IDs for this display only."""
        try:
            texts = self._read_sealed_rows()
        except ServiceUnavailable:
            self.masked = self.env._("Encryption keys unavailable")
            return
        types = self.env["spar.id.type"]
        for identity in self:
            text = texts.get(identity.id)
            identity.masked = mask(types._get_clean_value(text)) if text else ""

    @api.depends("expires_on", "active")
    def _compute_state(self):
        today = fields.Date.context_today(self)
        for identity in self:
            expires_on = identity.expires_on
            is_expired = bool(expires_on and expires_on < today)
            identity.state = "expired" if is_expired else "valid"
            if not identity.active:
                identity.state = "replaced"

    def _compute_shared_count(self):
        counts = self._count_others()
        for identity in self:
            identity.shared_count = counts.get(identity.id, 0)

    def _count_others(self) -> dict[int, int]:
        """Return how many other people have each of these IDs, by row id."""
        keyring = self.env["spar.keyring"]._open()
        column = SQL.identifier(f"digest_{keyring.roles.read_column}")
        query = SQL(
            """SELECT i.id, count(DISTINCT o.partner_id)
                 FROM spar_person_identity i
                 JOIN spar_person_identity o
                   ON o.%(column)s = i.%(column)s AND o.partner_id <> i.partner_id
                      AND o.active
                WHERE i.id = ANY(%(ids)s) GROUP BY i.id""",
            column=column,
            ids=list(self.ids),
        )
        return dict(self.env.execute_query(query))

    # === READING === #

    def _open_identities(self) -> dict[int, RegistryIdentity]:
        """Return these IDs opened, by row id; those that do not open are left out.

        Raises CalledFromExpression, KeyringUnavailable or KeyringMismatch.
        """
        return self._open_found(self._as_query(ordered=False))

    @api.model
    def _open_found(self, query: Query) -> dict[int, RegistryIdentity]:
        """Return the IDs that a query finds opened, like those above."""
        keyring = self.env["spar.keyring"]._open()
        today = fields.Date.context_today(self)
        opened = {}
        for (
            row_id,
            partner_id,
            type_id,
            verified,
            verified_by,
            expires,
            shared,
            sealed,
        ) in self._fetch_identities(keyring, query):
            context = self._build_seal_context(row_id, partner_id, type_id)
            try:
                id_value = keyring.unseal(IDENTITY, bytes(sealed), context)
            except SealBroken:
                continue
            opened[row_id] = RegistryIdentity(
                row_id=row_id,
                partner_id=partner_id,
                type_id=type_id,
                id_value=id_value,
                is_verified=bool(verified),
                is_expired=bool(expires and expires < today),
                is_shared=shared,
                verified_by=verified_by or 0,
            )
        return opened

    @api.model
    def _fetch_identities(self, keyring, query: Query) -> list[tuple]:
        """Return what opens the IDs that a query finds, in their order."""
        columns = [
            "id",
            "partner_id",
            "id_type_id",
            "is_verified",
            "verified_by",
            "expires_on",
        ]
        self.flush_model([*columns[1:], "active"])
        alias = SQL.identifier(query.table)
        digest = SQL.identifier(f"digest_{keyring.roles.read_column}")
        is_shared = SQL(
            """EXISTS (SELECT FROM spar_person_identity o
                        WHERE o.%(digest)s = %(alias)s.%(digest)s AND o.active
                          AND o.partner_id <> %(alias)s.partner_id)""",
            digest=digest,
            alias=alias,
        )
        query.add_where(SQL("%s.sealed IS NOT NULL", alias))
        query.order = SQL("%s.is_verified DESC NULLS LAST, %s.id", alias, alias)
        return self.env.execute_query(
            query.select(
                *(SQL.identifier(query.table, name) for name in columns),
                is_shared,
                SQL.identifier(query.table, "sealed"),
            )
        )

    @api.model
    def _find_by_ids(self, id_values: list[str]) -> dict[str, list[int]]:
        """Return the people who have each ID, by the ID as it was given.

        An ID that several people have is answered with all of them, an invalid or
        unknown one with none.
        """
        keyring = self.env["spar.keyring"]._open()
        wanted = self._digest_ids(id_values)
        column = SQL.identifier(f"digest_{keyring.roles.read_column}")
        rows = self.env.execute_query(
            SQL(
                "SELECT %s, partner_id FROM spar_person_identity"
                " WHERE %s = ANY(%s) AND active ORDER BY partner_id",
                column,
                column,
                list(wanted),
            )
        )
        found: dict[str, list[int]] = {text: [] for text in id_values}
        for digest, partner_id in rows:
            for text in wanted[bytes(digest)]:
                if partner_id not in found[text]:
                    found[text].append(partner_id)
        return found

    @api.model
    def _digest_ids(self, id_values: list[str]) -> dict[bytes, list[str]]:
        """Return the spellings of each valid ID, by its digest."""
        keyring = self.env["spar.keyring"]._open()
        spellings: dict[bytes, list[str]] = {}
        for text in id_values:
            try:
                canonical = self.env["spar.id.type"]._identify(text).canonical
            except InvalidIdentifier:
                continue
            digest = bytes(keyring.digest(IDENTITY, canonical))
            spellings.setdefault(digest, []).append(text)
        return spellings
