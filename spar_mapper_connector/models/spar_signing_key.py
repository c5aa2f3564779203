import json
from collections import OrderedDict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..exceptions import KeyMissing, SealBroken
from ..lib.jose.encryption import decrypt, read_encryption_header
from ..lib.jose.exceptions import DecryptionFailed
from ..lib.jose.keys import ALGORITHMS, ENCRYPTION_ALGORITHM, PrivateKey
from ..lib.jose.signatures import sign_detached
from ..lib.jose.tokens import sign_token

ADMINISTRATOR = "spar_fa_directory.group_administrator"

#: How long a retired key is published: answers that it signed are still verified.
PUBLISHED = timedelta(days=90)

#: Private keys that this process has opened, by their sealed form: the database decides
#: which one is used; only the parsing is saved.
_OPENED: OrderedDict[tuple[bytes, bytes], PrivateKey] = OrderedDict()
_MAX_OPENED = 64


class SparSigningKey(models.Model):
    """A key of our own, for one use: the keyring seals its private half.

    For each use and algorithm there is a current key, a next one that is already
    published, and the retired ones. ``use`` is a word of the addon that signs, for
    example ``messages``.
    """

    _name = "spar.signing.key"
    _description = "Signing key"
    _inherit = ["spar.sealed.storage", "spar.sealed.setting", "spar.cached.records"]
    _order = "use, algorithm, id desc"
    _rec_name = "kid"
    _log_access = False
    _sealed_columns = ("private_key",)
    _seal_purpose = "signing key"
    _seal_context_columns = ("kid", "use", "algorithm")
    _kept_rows = "state = 'current'"
    _sealed_fields = ("use", "algorithm", "kid", "state", "public_jwk", "retired_at")

    use = fields.Char(required=True, readonly=True, help="What the key signs.")
    algorithm = fields.Selection(
        selection=lambda self: self._selection_algorithm(), required=True, readonly=True
    )
    kid = fields.Char(string="Key ID", required=True, readonly=True)
    state = fields.Selection(
        [("next", "Next"), ("current", "In use"), ("retired", "Retired")],
        required=True,
        readonly=True,
    )
    public_jwk = fields.Text(string="Public key (JWK)", required=True, readonly=True)
    made_at = fields.Datetime(string="Created on", required=True, readonly=True)
    retired_at = fields.Datetime(string="Retired on", readonly=True)

    _kid_uniq = models.UniqueIndex("(kid)", "This key already exists.")
    _state_uniq = models.UniqueIndex(
        "(use, algorithm, state) WHERE state <> 'retired'",
        "Each use and algorithm can have only one key in use and one next key.",
    )

    @api.model
    def _selection_algorithm(self) -> list[tuple[str, str]]:
        return [(name, name) for name in (*ALGORITHMS, ENCRYPTION_ALGORITHM)]

    # === CREATION AND REPLACEMENT === #

    @api.model
    def _generate(self, use: str, algorithm: str = "ES256", state: str = "current"):
        """Return the key of ``use`` in ``state``, made now unless there is one.

        Two transactions that make it at once get the same one. Raises
        KeyringUnavailable or KeyringMismatch.
        """
        known = self._search_key(use, algorithm, state)
        if known:
            return known
        private = PrivateKey.generate(algorithm)
        kid = private.public.kid
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_signing_key
                          (use, algorithm, kid, state, public_jwk, made_at, private_key)
                   VALUES (%s, %s, %s, %s, %s, now() AT TIME ZONE 'UTC', %s)
                       ON CONFLICT DO NOTHING""",
                use,
                algorithm,
                kid,
                state,
                json.dumps(private.public.jwk),
                self._seal_value(private.to_pem(), kid, use, algorithm),
            )
        )
        self._forget_versions()
        made = self._search_key(use, algorithm, state)
        made._seal_again(made.ids)
        return made

    @api.model
    def _search_key(self, use: str, algorithm: str, state: str):
        domain = [
            ("use", "=", use),
            ("algorithm", "=", algorithm),
            ("state", "=", state),
        ]
        return self.sudo().search(domain, limit=1)

    @api.model
    def _rotate(self, use: str, algorithm: str = "ES256"):
        """Use the next key from now on, retire the current one; return the new one.

        The next key was published earlier: parties that have recently fetched our keys
        have it. The retired one verifies what it signed; its private half is destroyed,
        except for keys that decrypt.
        """
        self.env.cr.execute("LOCK TABLE spar_signing_key IN SHARE ROW EXCLUSIVE MODE")
        next_sudo = self._generate(use, algorithm, "next")
        current_sudo = self._search_key(use, algorithm, "current")
        current_sudo._retire()
        next_sudo.write({"state": "current"})
        self.env.flush_all()
        self._generate(use, algorithm, "next")
        return next_sudo

    def _retire(self) -> None:
        """Sign nothing more with these keys."""
        self.write({"state": "retired", "retired_at": fields.Datetime.now()})
        self.flush_recordset()
        signing = self.filtered(lambda key: key.algorithm != ENCRYPTION_ALGORITHM)
        self.env.cr.execute(
            "UPDATE spar_signing_key SET private_key = NULL WHERE id = ANY(%s)",
            [signing.ids],
        )
        self._forget_versions()

    def action_rotate(self) -> None:
        """Retire the key that is in use; the next one takes its place."""
        self.ensure_one()
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(self.env._("Only an administrator can replace keys."))
        self._rotate(self.use, self.algorithm)

    # === USE === #

    @api.model
    def _get_private_key(self, use: str, algorithm: str = "") -> PrivateKey:
        """Return the key in use; without ``algorithm``, the oldest one of any.

        It takes one statement, besides the keyring's. Raises KeyMissing,
        KeyringUnavailable, KeyringMismatch or SealBroken.
        """
        versions = self.env["spar.row.versions"]
        current = versions._reuse(self, "_read_current_keys", self._name)
        kept = current.get((use, algorithm))
        if kept is None or kept[2] is None:
            raise KeyMissing(f"there is no key for: {use}")
        return self._open_private_key(use, *kept)

    @api.model
    def _read_current_keys(self) -> dict[tuple[str, str], tuple]:
        """Return the present keys by use and algorithm; by use and "" the oldest.

        Each is its ID, its algorithm and its sealed private half.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT use, kid, algorithm, private_key FROM spar_signing_key
                    WHERE state = 'current' ORDER BY id"""
            )
        )
        current: dict[tuple[str, str], tuple] = {}
        for use, kid, algorithm, sealed in rows:
            kept = (kid, algorithm, sealed and bytes(sealed))
            current[use, algorithm] = kept
            current.setdefault((use, ""), kept)
        return current

    @api.model
    def _open_private_key(
        self, use: str, kid: str, algorithm: str, sealed: bytes
    ) -> PrivateKey:
        # Keys that were opened before need the keyring, too: it refuses expressions.
        self.env["spar.keyring"]._open()
        # Its place is part of the key: sealed bytes that were moved to another row are
        # another key, which does not open there.
        known = (bytes(sealed), self._build_seal_context(kid, use, algorithm))
        opened = _OPENED.get(known)
        if opened is None:
            pem = self._unseal_value(sealed, kid, use, algorithm)
            opened = PrivateKey.from_pem(pem, algorithm)
            if opened.public.kid != kid:
                raise SealBroken("the private key does not match its public key")
            _OPENED[known] = opened
        _OPENED.move_to_end(known)
        while len(_OPENED) > _MAX_OPENED:
            _OPENED.popitem(last=False)
        return opened

    @api.model
    def _sign(self, use: str, payload: bytes, algorithm: str = "", **header) -> str:
        """Return the detached signature of ``payload`` (``header..signature``).

        Raises what ``_get_private_key`` raises.
        """
        return sign_detached(payload, self._get_private_key(use, algorithm), **header)

    @api.model
    def _sign_token(
        self, use: str, claims: dict, typ: str = "JWT", algorithm: str = ""
    ) -> str:
        """Return a JWT with ``claims``; raises what ``_get_private_key`` raises."""
        return sign_token(claims, self._get_private_key(use, algorithm), typ)

    @api.model
    def _decrypt(self, use: str, text: str) -> bytes:
        """Return the content of a JWE for one of our keys, even a retired one.

        Raises DecryptionFailed, KeyringUnavailable, KeyringMismatch or SealBroken.
        """
        kid = read_encryption_header(text).get("kid", "")
        rows = self.env.execute_query(
            SQL(
                """SELECT kid, algorithm, private_key FROM spar_signing_key
                    WHERE use = %s AND algorithm = %s AND private_key IS NOT NULL
                      AND (kid = %s OR (%s = '' AND state = 'current'))""",
                use,
                ENCRYPTION_ALGORITHM,
                str(kid),
                str(kid),
            )
        )
        if not rows:
            raise DecryptionFailed("mismatch", "it was encrypted for another key")
        return decrypt(text, self._open_private_key(use, *rows[0]))

    @api.model
    def _get_key_set(self, use: str) -> dict:
        """Return the published keys of ``use`` (JWKS, RFC 7517).

        These are the keys in use, the next ones, and those retired in the last
        PUBLISHED.
        """
        since = fields.Datetime.now() - PUBLISHED
        keys_sudo = self.sudo().search(
            [
                ("use", "=", use),
                "|",
                ("state", "!=", "retired"),
                ("retired_at", ">", since),
            ]
        )
        published = (key._get_public_jwk() for key in keys_sudo._filter_true())
        return {"keys": list(filter(None, published))}

    def _get_public_jwk(self) -> dict:
        """Return the public half of this key; empty if the private one does not open.

        It is derived from the private half as long as there is one, afterwards as
        sealed.
        """
        query = SQL("SELECT private_key FROM spar_signing_key WHERE id = %s", self.id)
        ((sealed,),) = self.env.execute_query(query)
        if not sealed:
            return json.loads(self.public_jwk)
        try:
            opened = self._open_private_key(self.use, self.kid, self.algorithm, sealed)
        except SealBroken as error:
            alarm = (self._table, self.id, str(error))
            self.env["spar.settings.seal"].sudo()._raise_alarms([alarm])
            return {}
        return opened.public.jwk
