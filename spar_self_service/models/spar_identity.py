import json
import uuid

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import MapperError, SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import Capability, OwnerLogin
from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import UserNotAllowed
from odoo.addons.spar_mapper_connector.lib.oidc.verified import Contacts, VerifiedLogin

from ..lib.beneficiary import Beneficiary

PURPOSE = "identity"
COLUMNS = ("a", "b")


class SparIdentity(models.Model):
    """One person at one issuer, and their portal user here.

    Only a keyed digest of (issuer, subject) is stored; the provider's data about the
    person is sealed, and renewed with every login. A token is stored only where the
    mapper reads for this portal by it, and then sealed, too: the newest one.
    """

    _name = "spar.identity"
    _description = "Identity at an ID provider"
    _inherit = ["spar.sealed.storage"]
    _rec_name = "uuid"
    _log_access = False
    _digest_columns = tuple(f"person_digest_{column}" for column in COLUMNS)
    _seal_purpose = PURPOSE
    _seal_prefix = ("spar.identity",)
    _seal_context_columns = ("uuid", "id_type_id.code", "user_id")

    uuid = fields.Char(required=True, readonly=True)
    provider_id = fields.Many2one(
        "auth.oauth.provider", required=True, readonly=True, ondelete="restrict"
    )
    issuer = fields.Char(required=True, readonly=True)
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    user_id = fields.Many2one(
        "res.users", readonly=True, ondelete="cascade", index="btree_not_null"
    )
    acr = fields.Char(readonly=True, string="Authentication context (ACR)")
    seen_at = fields.Datetime(readonly=True, string="Last login")

    _user_uniq = models.UniqueIndex(
        "(user_id) WHERE user_id IS NOT NULL", "A user belongs to one person."
    )

    def init(self):
        result = super().init()
        for column in COLUMNS:
            self.env.cr.execute(
                SQL(
                    "CREATE UNIQUE INDEX IF NOT EXISTS %s ON spar_identity (%s)",
                    SQL.identifier(f"spar_identity_person_digest_{column}_uniq"),
                    SQL.identifier(f"person_digest_{column}"),
                )
            )
        return result

    def _build_seal_context(self, key: str, id_type: str, user_id: int | None) -> bytes:
        """Return the context of a person's data.

        Moved to another user or another type of ID, they do not open.
        """
        return super()._build_seal_context(key, id_type, user_id or 0)

    # === RECOGNISING A PERSON === #

    @api.model
    def _find(self, verified: VerifiedLogin):
        """Return the person who authenticated, or an empty record for a new one."""
        keyring = self.env["spar.keyring"]._open()
        column = SQL.identifier(f"person_digest_{keyring.roles.read_column}")
        digest = keyring.digest(PURPOSE, _get_person(verified))
        query = SQL("SELECT id FROM spar_identity WHERE %s = %s", column, digest)
        return self.browse(row_id for (row_id,) in self.env.execute_query(query))

    @api.model
    def _recognise(self, provider, verified: VerifiedLogin, with_user: bool):
        """Return the person who authenticated, created if new, with current data.

        ``with_user``: they get a portal user where they have none. Raises NoUsableId or
        UserNotAllowed; to be called where an error undoes what was written.
        """
        id_value = provider._build_id_value(verified)
        identity_sudo = self.sudo()._find(verified) or self.sudo()._insert(
            provider, verified
        )
        if with_user and not identity_sudo.user_id:
            identity_sudo._set_user(self._create_user(identity_sudo.uuid))
        identity_sudo._check_user()
        identity_sudo._renew(provider, verified, id_value)
        return identity_sudo

    @api.model
    def _insert(self, provider, verified: VerifiedLogin):
        keyring = self.env["spar.keyring"]._open(for_write=True)
        digests = keyring.digests(PURPOSE, _get_person(verified))
        rows = self.env.execute_query(
            SQL(
                """INSERT INTO spar_identity (uuid, provider_id, issuer, id_type_id,
                                              person_digest_a, person_digest_b)
                   VALUES (%s, %s, %s, %s, %s, %s)
                   ON CONFLICT DO NOTHING RETURNING id""",
                str(uuid.uuid4()),
                provider.id,
                verified.issuer,
                provider.id_type_id.id,
                digests.get("a"),
                digests.get("b"),
            )
        )
        if not rows:
            # The same person in two windows at once: the request is run again.
            raise ConcurrencyError("this person was added by another request")
        return self.browse(rows[0])

    def _renew(self, provider, verified: VerifiedLogin, id_value: str) -> None:
        """Seal and store the provider's current data about the person."""
        contacts = verified.contacts
        person = {
            "id_value": id_value,
            "name": verified.name,
            "email": contacts.email,
            "phone_number": contacts.phone_number,
        }
        if self._is_read_by_login(provider.id_type_id):
            person |= {"id_token": verified.id_token, "userinfo": verified.userinfo}
        place = (self.uuid, provider.id_type_id.code, self.user_id.id)
        self.env.cr.execute(
            """UPDATE spar_identity SET provider_id = %s, id_type_id = %s, acr = %s,
                      seen_at = now() AT TIME ZONE 'UTC', sealed = %s WHERE id = %s""",
            (
                provider.id,
                provider.id_type_id.id,
                verified.acr or None,
                self._seal_value(json.dumps(person), *place),
                self.id,
            ),
        )
        self.invalidate_recordset()

    @api.model
    def _is_read_by_login(self, id_type) -> bool:
        """Return whether the mapper for these IDs reads only with the owner's login."""
        try:
            mapper = self.env["spar.mapper.backend"]._get_mapper(id_type).sudo()
            return Capability.OWN_ADDRESS in mapper._capabilities()
        except MapperError:
            return False

    def _get_beneficiary(self) -> Beneficiary:
        """Return what is known of the person; raises SealBroken if it was moved."""
        self.ensure_one()
        text = self._read_sealed()
        if text is None:
            raise SealBroken("the person's data are gone")
        person = json.loads(text)
        return Beneficiary(
            key=self.uuid,
            id_value=person["id_value"],
            id_type=self.id_type_id.code,
            issuer=self.issuer,
            name=person["name"],
            contacts=Contacts(person["email"], person["phone_number"]),
            login=_read_login(self.issuer, person),
        )

    # === THE PORTAL USER === #

    @api.model
    def _create_user(self, key: str):
        """Create a portal user from the template, which reveals nothing of the person.

        It has no password, no e-mail address, and a login that cannot be guessed or
        interpreted.
        """
        users_sudo = self.env["res.users"].sudo()
        return users_sudo._create_user_from_template(
            {
                "login": f"person-{key}",
                "name": self.env._("Beneficiary %(key)s", key=key[:8]),
                "lang": self.env.lang,
            }
        )

    def _set_user(self, user) -> None:
        query = "UPDATE spar_identity SET user_id = %s WHERE id = %s"
        self.env.cr.execute(query, (user.id, self.id))
        self.invalidate_recordset()

    def _check_user(self) -> None:
        """Raise UserNotAllowed unless the person's user is an active portal user."""
        user = self.user_id
        if user and not (user.active and user._is_portal() and not user._is_internal()):
            raise UserNotAllowed("user")


def _read_login(issuer: str, person: dict) -> OwnerLogin | None:
    token = person.get("id_token")
    return OwnerLogin(issuer, token, person["userinfo"]) if token else None


def _get_person(verified: VerifiedLogin) -> str:
    return bind(verified.issuer, verified.subject).decode()
