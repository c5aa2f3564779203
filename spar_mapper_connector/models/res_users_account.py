import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessDenied, UserError
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.models.res_groups import SERVICE_GROUPS

from ..exceptions import AccountAltered, ServiceUnavailable
from ..expressions import get_person, is_on_command_line
from ..lib.keyring import OpenKeyring, bind
from ..lib.settings_seal import ALTERED
from .spar_sealed_storage import add_columns

_logger = logging.getLogger(__name__)

PURPOSE = "account"
#: The purpose of the seal of an account in doubt, with which nobody logs in.
_DOUBT = "account in doubt"
#: The column of an account's own seal, which is not a field: a MAC. After that of an
#: account in doubt come the ids of the users who changed it.
_SEAL = "spar_account_seal"
_MAC_BYTES = 32
#: The credentials of an account besides its login and password: the field, of any
#: addon, and SQL on ``u``, the account.
_CREDENTIALS = {
    "totp_secret": "u.totp_secret",
    "oauth_uid": "u.oauth_uid",
    "oauth_provider_id": "u.oauth_provider_id",
    "auth_passkey_key_ids": """
        (SELECT jsonb_agg(jsonb_build_array(k.credential_identifier, k.public_key)
                          ORDER BY k.id)
           FROM auth_passkey_key k WHERE k.create_uid = u.id)""",
}
#: Odoo's own methods of authentication.
_METHODS = ("password", "totp", "totp_mail", "passkey")
#: A write of any of these fields is sealed.
_TOUCHING = {"login", "password", "new_password", "active", "group_ids", *_CREDENTIALS}

#: The users who changed accounts in doubt, by the account's id.
Doubts = dict[int, set[int]]

#: In the context of code that seals at its end. An object rather than a value: nothing
#: that comes over RPC can equal it.
_SEALING = object()

_SERVICES = ", ".join(f"'{name}'" for name in SERVICE_GROUPS)
#: SQL of the external IDs of roles, as ``_get_spar_role_ids`` finds them.
_ROLES = f"""
    d.model = 'res.groups' AND left(d.module, 5) = 'spar_'
    AND concat(d.module, '.', d.name) NOT IN ({_SERVICES})"""
#: SQL of a role's name in the seal. Those of the first addon were sealed without it.
_ROLE_NAME = """
    CASE d.module WHEN 'spar_fa_directory' THEN d.name
                  ELSE concat(d.module, '.', d.name) END"""
#: SQL of the users who have a role, directly or through another group.
_HAS_ROLE = f"""
    t.id IN (WITH RECURSIVE g(id) AS (
                  SELECT d.res_id FROM ir_model_data d WHERE {_ROLES}
                  UNION SELECT i.gid FROM res_groups_implied_rel i JOIN g
                            ON g.id = i.hid)
             SELECT r.uid FROM res_groups_users_rel r JOIN g ON g.id = r.gid)"""
#: SQL of which roles they have.
_WHICH_ROLES = f"""
    (SELECT array_agg({_ROLE_NAME} ORDER BY {_ROLE_NAME} COLLATE "C")
       FROM ir_model_data d
      WHERE {_ROLES} AND d.res_id IN (
            WITH RECURSIVE g(id) AS (
                 SELECT r.gid FROM res_groups_users_rel r WHERE r.uid = t.id
                 UNION SELECT i.hid FROM res_groups_implied_rel i JOIN g
                           ON g.id = i.gid)
            SELECT id FROM g))"""


class ResUsers(models.Model):
    """Accounts with a role in SPAR are sealed, like settings.

    Their roles are a set of settings: a role that plain SQL gave to an account does not
    count. The credentials of an account have a seal on its own row. So a password, an
    authenticator's secret, a passkey or a role that came past the registry opens
    nothing, and the integrity check names it. Nor do API keys open anything: a program
    takes part as a participant, not as a person.
    """

    _name = "res.users"
    _inherit = ["res.users", "spar.sealed.setting"]
    _sealed_fields = ("active", "login")
    _sealed_beside = {"roles": _WHICH_ROLES}
    _sealed_rows = _HAS_ROLE

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, (_SEAL,))
        return result

    @api.model
    def _get_sealed_columns(self):
        return tuple(sorted({*self._sealed_fields, *self._sealed_beside}))

    @api.model
    def _touches_seal(self, vals):
        """Return False: ``_keep_sealed`` seals accounts, as most have no role."""
        return False

    def _filter_sealed(self):
        return self._filter_roles()

    # === SEALING === #

    @api.model_create_multi
    def create(self, vals_list):
        users = super(ResUsers, _mark(self)).create(vals_list).with_env(self.env)
        if not _is_marked(self):
            users._filter_roles()._seal_accounts(self.browse(), {})
        return users

    def write(self, vals):
        if not _TOUCHING & vals.keys():
            return super().write(vals)
        with self._keep_sealed() as users:
            return super(ResUsers, users).write(vals)

    def _set_encrypted_password(self, uid, pw):
        """Store and seal the hash: Odoo writes it past the fields, at a login too."""
        with self.browse(uid)._keep_sealed():
            return super()._set_encrypted_password(uid, pw)

    @contextmanager
    def _keep_sealed(self) -> Iterator[models.BaseModel]:
        """Seal the changes that the body makes to these accounts.

        The body works with the yielded records: changes that they make in nested calls
        are sealed with the rest. An account that was already altered stays so. One
        whose second factor another user has changed is in doubt until an administrator
        of SPAR confirms it. Raises CalledFromExpression if an expression changes an
        account with a role.
        """
        if _is_marked(self):
            yield self
            return
        before = self._filter_roles()
        closed = before - before._filter_true_accounts()
        doubts = closed._read_doubts()
        altered = closed - self.browse(doubts)
        factors = before._read_factors()
        yield _mark(self)
        in_doubt = (before - closed).exists()._filter_in_doubt(factors)
        person = get_person(self.env)
        doubts = {
            user_id: {*doubts.get(user_id, ()), person}
            for user_id in (*doubts, *in_doubt.ids)
        }
        (before | self._filter_roles())._seal_accounts(altered, doubts)

    def _read_factors(self) -> dict[int, str]:
        """Return the second factor of each of these accounts, by id."""
        names = ("totp_secret", "auth_passkey_key_ids")
        found = {}
        for user_id, _seal, text in self._read_credentials():
            kept = json.loads(text)
            found[user_id] = json.dumps([kept.get(name) for name in names])
        return found

    def _filter_in_doubt(self, before: dict[int, str]):
        """Return the accounts whose second factor another user has changed.

        ``before`` has the second factors as they were, by the account's id.
        """
        if not self or is_on_command_line():
            return self.browse()
        person, now = get_person(self.env), self._read_factors()
        return self.filtered(
            lambda user: user.id != person and now[user.id] != before[user.id]
        )

    @api.model
    def _search_role_holders(self):
        """Return all accounts with a role, archived ones too."""
        _number, texts = self.sudo()._read_texts(())
        return self.sudo().browse(row_id for row_id, _text in texts)

    def _filter_roles(self):
        return self.exists().filtered(lambda user: user._has_spar_role())

    def _seal_accounts(self, altered, doubts: Doubts) -> None:
        """Seal these accounts, except those that were already altered."""
        if not self or not self.env["spar.settings.seal"].sudo()._is_needed():
            return
        users = self - altered
        users._seal_again(users.ids)
        users._filter_roles()._seal_credentials(doubts)

    def _seal_credentials(self, doubts: Doubts | None = None) -> None:
        keyring, doubts = self.env["spar.keyring"]._open(for_write=True), doubts or {}
        for user_id, _seal, text in self._read_credentials():
            if persons := doubts.get(user_id):
                seal = _build_doubt_seal(keyring, user_id, _join(persons), text)
            else:
                seal = _build_seal(keyring, user_id, text)
            self.env.cr.execute(
                SQL(
                    "UPDATE res_users SET %s = %s WHERE id = %s",
                    SQL.identifier(_SEAL),
                    seal,
                    user_id,
                )
            )

    def _read_doubts(self) -> Doubts:
        """Return who changed each account that is in doubt, by the account's id.

        An account is not among them if its roles or credentials came past the registry.
        """
        if not self:
            return {}
        keyring, doubts = self.env["spar.keyring"]._open(), {}
        for user_id, seal, text in self._filter_true()._read_credentials():
            persons = seal[_MAC_BYTES:]
            if persons and seal == _build_doubt_seal(keyring, user_id, persons, text):
                doubts[user_id] = {int(person) for person in persons.split()}
        return doubts

    @api.model
    def _seal_each(self):
        self._search_role_holders()._seal_credentials()

    @api.model
    def _check_each(self):
        return self._search_role_holders()._find_altered_credentials()

    def _read_credentials(self) -> list[tuple[int, bytes, str]]:
        """Return id, seal and canonical text of the credentials of each account."""
        self.env.flush_all()
        present = [sql for name, sql in _CREDENTIALS.items() if name in self._fields]
        names = [name for name in _CREDENTIALS if name in self._fields]
        columns = SQL("").join(
            SQL(", %s AS %s", SQL(sql), SQL.identifier(name))
            for name, sql in zip(names, present, strict=True)
        )
        query = SQL(
            """SELECT u.id, u.%s, jsonb_strip_nulls(to_jsonb(c))::text
                 FROM res_users u
                CROSS JOIN LATERAL (SELECT u.login, u.password %s) c
                WHERE u.id = ANY(%s) ORDER BY u.id""",
            SQL.identifier(_SEAL),
            columns,
            self.ids,
        )
        rows = self.env.execute_query(query)
        return [(row_id, bytes(seal or b""), text) for row_id, seal, text in rows]

    # === USE === #

    def _filter_true_accounts(self):
        """Return the accounts whose roles and credentials are as sealed.

        The others are named in alarms. Before there are keys, all are returned.
        """
        if not self or not self.env["spar.settings.seal"].sudo()._is_needed():
            return self
        users = self._filter_true()
        problems = users._find_altered_credentials()
        self.env["spar.settings.seal"].sudo()._raise_alarms(problems)
        altered = {row_id for _table, row_id, _problem in problems}
        return users.filtered(lambda user: user.id not in altered)

    def _find_altered_credentials(self) -> list[tuple[str, int, str]]:
        """Return table, id and problem of each account that does not fit its seal."""
        keyring = self.env["spar.keyring"]._open()
        return [
            (self._table, user_id, ALTERED)
            for user_id, seal, text in self._read_credentials()
            if seal != _build_seal(keyring, user_id, text)
        ]

    def _check_true_account(self) -> None:
        """Raise AccountAltered if a role or a credential came past the registry."""
        holder = self._filter_roles()
        if holder and not holder._filter_true_accounts():
            raise AccountAltered("this account was altered")

    def _is_service_account(self) -> bool:
        """Return whether this is an account in whose name only programs act.

        They are Odoo's superuser, the visitors of websites, and the users of our
        service groups. No person logs in with one, in whichever way.
        """
        if self.id == SUPERUSER_ID or self._is_public():
            return True
        names = self.env["ir.model.data"]
        service = {
            names._xmlid_to_res_id(name, raise_if_not_found=False)
            for name in SERVICE_GROUPS
        }
        return not service.isdisjoint(self._get_group_ids())

    def _register_hook(self):
        """Check credentials after all addons, whichever Odoo loads last.

        An addon that is loaded after this one (``auth_oauth``, ``auth_ldap``) has
        methods that call ours and accept what it refused, or name a user whose
        credentials were not checked at all.
        """
        result = super()._register_hook()
        _check_last(self.env.registry[self._name])
        return result

    def _check_way(self, result: dict) -> None:
        """Raise AccessDenied if credentials were put into the database.

        For an account with a role, those of another server are refused as well, and
        for a service account all. ``result`` is that of ``_check_credentials``, or of
        ``_login``. A second factor is checked while nobody is logged in yet.
        """
        user = self or self.env.user
        if user._is_service_account():
            raise AccessDenied()
        if user._has_spar_role() and result["auth_method"] not in _METHODS:
            raise AccessDenied()
        try:
            user._check_true_account()
        except AccountAltered as error:
            raise AccessDenied(
                self.env._(
                    "This account is closed because it was changed outside Odoo, or "
                    "another user changed its second factor. A SPAR administrator can "
                    "open it under Audit > Acts on accounts."
                )
            ) from error
        except ServiceUnavailable as error:
            raise AccessDenied(
                self.env._(
                    "You cannot log in now because the encryption keys are "
                    "unavailable. Contact the server's operator."
                )
            ) from error

    # === SESSIONS === #

    def _is_guarded_account(self) -> bool:
        """Return whether a session of this account requires a key of the keyring."""
        is_needed = self.env["spar.settings.seal"].sudo()._is_needed
        return self._has_spar_role() and is_needed()

    def _compute_session_token(self, sid):
        """Return Odoo's token under a key: its own is made of the database alone.

        A service account has none, so that no session of it is valid.
        """
        token = super()._compute_session_token(sid)
        if token and self._is_service_account():
            return False
        if not token or not self._is_guarded_account():
            return token
        keyring = self.env["spar.keyring"]._open()
        return keyring.token_mac(bind("session", self.id, token)).hex()

    def _legacy_session_token_hash_compute(self, sid):
        token = super()._legacy_session_token_hash_compute(sid)
        return False if self._is_guarded_account() else token

    def _rpc_api_keys_only(self):
        """Return True for a role, too: no program logs in as a user with one."""
        return super()._rpc_api_keys_only() or self._has_spar_role()


class ResUsersApikeys(models.Model):
    """API keys: the holder of one acts as its user for as long as it lasts."""

    _inherit = "res.users.apikeys"

    def _check_credentials(self, *, scope, key):
        uid = super()._check_credentials(scope=scope, key=key)
        user = self.env["res.users"].browse(uid)
        if uid and (user._has_spar_role() or user._is_service_account()):
            _logger.warning("a key of user #%s, who may have none: refused", uid)
            return None
        return uid

    def _generate(self, scope, name, expiration_date):
        if self._name == "res.users.apikeys" and self.env.user._has_spar_role():
            raise UserError(
                self.env._(
                    "An account with a role in SPAR has no API keys. A program takes "
                    "part as a participant: an administrator adds it under "
                    "Participants."
                )
            )
        return super()._generate(scope, name, expiration_date)


class ResGroups(models.Model):
    """Groups: a change of a group can change which users have a role."""

    _inherit = "res.groups"

    @api.model_create_multi
    def create(self, vals_list):
        with self._keep_members_sealed() as groups:
            groups = super(ResGroups, groups).create(vals_list)
        return groups.with_env(self.env)

    def write(self, vals):
        if not {"user_ids", "implied_ids", "implied_by_ids"} & vals.keys():
            return super().write(vals)
        with self._keep_members_sealed() as groups:
            return super(ResGroups, groups).write(vals)

    def unlink(self):
        with self._keep_members_sealed() as groups:
            return super(ResGroups, groups).unlink()

    @contextmanager
    def _keep_members_sealed(self) -> Iterator[models.BaseModel]:
        """Seal the accounts whose roles the body changes with the yielded records."""
        if _is_marked(self):
            yield self
            return
        users = self.env["res.users"].sudo()
        before = users._read_texts(users._get_sealed_columns())[1]
        closed = users.browse(row_id for row_id, _text in before)
        closed -= closed._filter_true_accounts()
        doubts = closed._read_doubts()
        yield _mark(self)
        after = users._read_texts(users._get_sealed_columns())[1]
        changed = users.browse({row_id for row_id, _ in {*before} ^ {*after}})
        changed._seal_accounts(closed - users.browse(doubts), doubts)


def _check_last(model: type) -> None:
    """Put our checks of a login before the methods of all addons."""

    def _check_credentials(self, credential, env):
        result = super(model, self)._check_credentials(credential, env)
        self._check_way(result)
        return result

    def _login(self, credential, user_agent_env):
        result = super(model, self)._login(credential, user_agent_env=user_agent_env)
        self.browse(result["uid"])._check_way(result)
        return result

    model._check_credentials = _check_credentials
    model._login = _login


def _mark(records: models.BaseModel) -> models.BaseModel:
    return records.with_context(spar_sealing=_SEALING)


def _is_marked(records: models.BaseModel) -> bool:
    return records.env.context.get("spar_sealing") is _SEALING


def _build_seal(keyring: OpenKeyring, user_id: int, text: str) -> bytes:
    """Return the MAC over the credentials of an account."""
    return keyring.mac(PURPOSE, bind(user_id, text))


def _join(persons: set[int]) -> bytes:
    return " ".join(str(person) for person in sorted(persons)).encode()


def _build_doubt_seal(
    keyring: OpenKeyring, user_id: int, persons: bytes, text: str
) -> bytes:
    """Return the seal of an account in doubt, which names who changed it."""
    return keyring.mac(_DOUBT, bind(user_id, persons.hex(), text)) + persons
