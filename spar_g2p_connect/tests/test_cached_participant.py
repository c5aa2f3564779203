"""The cached participant always matches its rows, even after outside changes."""

import json
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.row_cache import RowCache
from odoo.addons.spar_g2p_connect.exceptions import (
    InvalidClient,
    InvalidToken,
    OperationNotGranted,
    SignatureInvalid,
)
from odoo.addons.spar_g2p_connect.lib.token_request import TokenRequest
from odoo.addons.spar_g2p_connect.models.participant import (
    spar_participant_cache as cache_module,
)
from odoo.addons.spar_g2p_connect.models.participant import spar_token_issuer as issuers
from odoo.addons.spar_g2p_connect.models.participant.spar_participant import (
    DEMO_VARIABLE,
)
from odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_token import (
    ISSUER_CLIENT,
)
from odoo.addons.spar_g2p_connect.models.spar_row_versions import RECEIVER_PARAMETER
from odoo.addons.spar_mapper_connector.lib.contract import Authority, Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import profiles
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey

from .common import EVERY_RIGHT, RestCase, build_items, build_message, seal_settings
from .signing import SigningCase

ISSUER = "https://idp.example/realms/cached"

#: Column -> the value that another session writes, and its visible effect.
LEAVES = {
    "max_items": (7, lambda cached: cached.caller.max_items),
    "daily_item_limit": (8, lambda cached: cached.caller.daily_limit),
    "calls_per_minute": (9, lambda cached: cached.caller.calls_per_minute),
    "items_per_minute": (10, lambda cached: cached.caller.items_per_minute),
    "sender_id": ("renamed.example", lambda cached: cached.caller.sender_id),
    "may_resolve_by_fa": (False, lambda cached: cached.caller.rights.resolves_by_fa),
    "callback_url": ("https://new.example", lambda cached: cached.caller.callback),
    "origin_networks": ("192.0.2.0/24", lambda cached: cached.caller.origin_networks),
    "proof": ("signature", lambda cached: cached.caller.proof),
    "signature_place": ("header", lambda cached: cached.caller.signature_place),
    "jwks_url": ("https://keys.example", lambda cached: cached.jwks_url),
}


class ChangedOutside:
    """Rows as another session changes and seals them, bypassing this one's cache."""

    def execute(self, statement, *values):
        self.env.flush_all()
        self.env.cr.execute(SQL(statement, *values))
        seal_settings(
            self.env, "spar.participant", "spar.participant.key", "spar.token.issuer"
        )
        self.env["spar.row.versions"]._forget()

    def set_column(self, participant, name, value):
        query = "UPDATE spar_participant SET %s = %s WHERE id = %s"
        self.execute(query, SQL.identifier(name), value, participant.id)

    def load(self, participant):
        self.env.flush_all()
        return self.env["spar.participant.cache"]._find("p.id = %s", participant.id)


@tagged("post_install", "-at_install")
class TestCached(ChangedOutside, RestCase):
    def test_unchanged_participant_is_reused_with_one_statement(self):
        cached = self.load(self.full)
        self.env["spar.row.versions"]._forget()
        with self.assertQueryCount(1):
            self.assertIs(self.load(self.full), cached)
            same = self.env["spar.participant.cache"]._find_by_id(self.full.id)
            self.assertIs(same, cached)

    def test_change_of_another_participant_has_no_effect(self):
        cached = self.load(self.full)
        self.set_column(self.bank, "max_items", 3)
        self.assertEqual(self.load(self.full), cached)

    def test_each_column_takes_effect_in_the_next_call(self):
        for name, (value, read) in LEAVES.items():
            with self.subTest(name):
                self.assertNotEqual(read(self.load(self.full)), value)
                self.set_column(self.full, name, value)
                self.assertEqual(read(self.load(self.full)), value)

    def test_authority_scope_and_profile_take_effect_in_the_next_call(self):
        self.set_column(self.full, "authority", "programme")
        self.assertEqual(self.load(self.full).caller.authority, Authority.PROGRAMME)
        self.set_column(self.full, "scope", "yes_no")
        self.assertFalse(self.load(self.full).caller.rights.sees_details)
        self.set_column(self.full, "profile", profiles.OPENG2P_1.code)
        self.assertEqual(self.load(self.full).caller.profile, profiles.OPENG2P_1)
        self.set_column(self.full, "rule_checks_parties", "on")
        self.assertTrue(self.load(self.full).caller.profile.checks_parties)

    def test_relations_take_effect_in_the_next_call(self):
        fsp = self.env["spar.fsp"].search([], limit=1)
        id_type = self.env["spar.id.type"].search([], limit=1)
        for name, flag, other, attribute in (
            ("own_provider_ids", "own_providers_only", fsp, "provider_ids"),
            ("id_type_ids", "has_id_types", id_type, "id_type_ids"),
        ):
            field = self.full._fields[name]
            self.set_column(self.full, flag, True)
            names = [field.relation, field.column1, field.column2]
            table, mine, theirs = map(SQL.identifier, names)
            row = (self.full.id, other.id)
            with self.subTest(name):
                cached = self.load(self.full)
                self.assertEqual(getattr(cached.caller, attribute), frozenset())
                add = "INSERT INTO %s (%s, %s) VALUES (%s, %s)"
                self.execute(add, table, mine, theirs, *row)
                found = getattr(self.load(self.full).caller, attribute)
                self.assertEqual(found, {other.id})
                self.execute("DELETE FROM %s WHERE %s = %s", table, mine, self.full.id)
                found = getattr(self.load(self.full).caller, attribute)
                self.assertEqual(found, frozenset())

    def test_receiver_id_takes_effect_in_the_next_call(self):
        self.load(self.full)
        for name in ("spar.new.example", "spar.newer.example"):
            self.env["ir.config_parameter"].set_param(RECEIVER_PARAMETER, name)
            self.env["spar.row.versions"]._forget()
            self.assertEqual(self.load(self.full).caller.receiver_id, name)

    def test_owners_confirm_under_the_name_by_which_others_call(self):
        parameters = self.env["ir.config_parameter"]
        for name in ("one.example", ""):
            parameters.set_param(RECEIVER_PARAMETER, name)
            self.env["spar.row.versions"]._forget()
            expected = name or parameters.get_param("database.uuid")
            self.assertEqual(self.env["spar.owner.proof"]._get_receiver_id(), expected)

    def test_rolled_back_change_is_not_cached(self):
        cached = self.load(self.full)
        with self.env.cr.savepoint() as savepoint:
            self.set_column(self.full, "max_items", 3)
            self.assertEqual(self.load(self.full).caller.max_items, 3)
            savepoint.rollback()
        self.assertEqual(self.load(self.full), cached)

    def test_demo_participant_is_refused_outside_a_demo(self):
        self.assertTrue(self.load(self.full).may_call)
        self.env["spar.row.versions"]._forget()
        with patch.dict("os.environ", {DEMO_VARIABLE: ""}):
            self.assertFalse(self.load(self.full).may_call)
        self.env["spar.row.versions"]._forget()
        self.assertTrue(self.load(self.full).may_call)


@tagged("post_install", "-at_install")
class TestUnknown(ChangedOutside, RestCase):
    """Unknown callers stay unknown, and evict no cached participant."""

    def test_unknown_participant_may_do_nothing(self):
        participants = self.env["spar.participant.cache"]
        for condition, value in (
            ("p.id = %s", 0),
            ("p.client_id = %s", "nobody"),
            ("p.sender_id = %s", ""),
            ("p.sender_id = %s", "' OR true --"),
        ):
            with self.subTest(value):
                unknown = participants._find(condition, value)
                self.assertFalse(unknown.participant_id)
                self.assertFalse(unknown.may_call)
                self.assertIsNone(unknown.caller)
                self.assertFalse(unknown.keys)

    def test_guesses_evict_no_cached_participant(self):
        cached = self.load(self.full)
        guesses = RowCache(size=3)
        with patch.object(cache_module, "_UNKNOWN_LOOKUPS", guesses):
            for number in range(20):
                self.env["spar.participant.cache"]._find(
                    "p.client_id = %s", f"n{number}"
                )
                self.assertLessEqual(len(guesses._values), 3)
        self.env["spar.row.versions"]._forget()
        self.assertIs(self.load(self.full), cached)

    def test_participant_created_after_a_lookup_is_found(self):
        condition = ("p.sender_id = %s", "later.example")
        participants = self.env["spar.participant.cache"]
        self.assertFalse(participants._find(*condition).may_call)
        later = self.make_participant("later.example")
        self.env.flush_all()
        self.assertEqual(participants._find(*condition).participant_id, later.id)

    def test_previous_sender_id_is_unknown(self):
        condition = ("p.sender_id = %s", "full.example")
        participants = self.env["spar.participant.cache"]
        self.assertTrue(participants._find(*condition).may_call)
        self.set_column(self.full, "sender_id", "moved.example")
        self.assertFalse(participants._find(*condition).may_call)

    def test_deleted_participant_is_unknown(self):
        gone = self.make_participant("gone.example")
        self.assertTrue(self.load(gone).may_call)
        self.execute("DELETE FROM spar_participant WHERE id = %s", gone.id)
        self.assertFalse(self.load(gone).may_call)


@tagged("post_install", "-at_install")
class TestChangedBetweenCalls(ChangedOutside, RestCase):
    """The same token with a changed row: the next request is answered by that."""

    def request_status(self, participant, operation="resolve", items=1):
        values = {"fa": "account:{}@BANK"} if operation == "link" else {}
        items = build_items(*range(items), **values)
        message = build_message(operation, participant.sender_id, items)
        return self.call(participant, operation, message)

    def test_disabled_and_activated_again(self):
        for state, status in (("active", 200), ("disabled", 401), ("active", 200)):
            self.set_column(self.bank, "state", state)
            self.assertEqual(self.request_status(self.bank).status_code, status)

    def test_draft_is_refused(self):
        self.assertEqual(self.request_status(self.bank).status_code, 200)
        self.set_column(self.bank, "state", "draft")
        response = self.request_status(self.bank)
        self.assertHttpError(response, 401, "err.request.unauthorized")

    def test_withdrawn_right_is_refused(self):
        self.assertEqual(self.request_status(self.bank, "link").status_code, 200)
        self.set_column(self.bank, "may_link", False)
        response = self.request_status(self.bank, "link")
        self.assertHttpError(response, 403, "err.request.forbidden")
        self.assertEqual(self.request_status(self.bank).status_code, 200)

    def test_lowered_limit_takes_effect(self):
        self.assertEqual(self.request_status(self.bank, items=3).status_code, 200)
        self.set_column(self.bank, "daily_item_limit", 4)
        response = self.request_status(self.bank, items=2)
        self.assertHttpError(response, 429, "err.request.too_many_requests", "daily")
        self.assertEqual(self.request_status(self.bank).status_code, 200)

    def test_call_from_an_unlisted_network_is_refused(self):
        self.assertEqual(self.request_status(self.bank).status_code, 200)
        self.set_column(self.bank, "origin_networks", "192.0.2.0/24")
        self.assertEqual(self.request_status(self.bank).status_code, 403)

    def test_token_does_not_keep_withdrawn_rights(self):
        token = self.get_token(self.bank)
        tokens = self.env["spar.g2p.connect.token"]
        tokens._get_caller(token).check_operation(Operation.LINK)
        self.set_column(self.bank, "may_link", False)
        with self.assertRaises(OperationNotGranted):
            tokens._get_caller(token).check_operation(Operation.LINK)

    def test_replaced_secret_is_refused(self):
        request = TokenRequest(self.bank.client_id, self.secrets[self.bank])
        self.assertTrue(self.env["spar.g2p.connect.token"]._grant(request))
        self.set_column(self.bank, "secret_digest", bytes(range(32)))
        for digest in (bytes(32), None):
            with self.assertRaises(InvalidClient):
                self.env["spar.g2p.connect.token"]._grant(request)
            self.set_column(self.bank, "secret_digest", digest)

    def test_replaced_client_id_is_refused(self):
        token = self.get_token(self.bank)
        self.env["spar.g2p.connect.token"]._get_caller(token)
        self.set_column(self.bank, "client_id", "spar-other")
        with self.assertRaises(InvalidToken):
            self.env["spar.g2p.connect.token"]._get_caller(token)


@tagged("post_install", "-at_install")
class TestKeysAndIssuers(ChangedOutside, SigningCase):
    def check(self):
        """Raise SignatureInvalid unless the signer's message is proved by its key."""
        response = self.send_signed(self.signer, self.build(self.signer))
        if response.status_code != 200 or response.json()["header"]["status"] == "rjct":
            raise SignatureInvalid(response.text)

    def test_changed_key_row_takes_effect(self):
        key = self.signer.key_ids
        foreign = json.dumps(PrivateKey.generate("ES256").public.jwk)
        for name, bad, good in (
            ("revoked_at", "2026-01-01", None),
            ("is_trusted", False, True),
            ("valid_from", "2999-01-01", None),
            ("valid_to", "2001-01-01", None),
            ("kid", "another", key.kid),
            ("public_jwk", foreign, key.public_jwk),
        ):
            column = SQL.identifier(name)
            query = "UPDATE spar_participant_key SET %s = %s WHERE id = %s"
            with self.subTest(name):
                self.check()
                self.execute(query, column, bad, key.id)
                with self.assertRaises(SignatureInvalid):
                    self.check()
                self.execute(query, column, good, key.id)
        self.check()

    def test_key_moved_to_another_participant(self):
        self.check()
        query = "UPDATE spar_participant_key SET participant_id = %s WHERE id = %s"
        key = self.signer.key_ids
        self.execute(query, self.header_signer.id, key.id)
        with self.assertRaises(SignatureInvalid):
            self.check()
        self.assertIn(key.kid, self.load(self.header_signer).keys)

    def test_deleted_key_is_refused(self):
        self.check()
        self.execute(
            "DELETE FROM spar_participant_key WHERE id = %s", self.signer.key_ids.id
        )
        self.assertFalse(self.load(self.signer).keys)
        with self.assertRaises(SignatureInvalid):
            self.check()

    def test_changed_issuer_row_takes_effect(self):
        values = {"name": "I", "issuer": ISSUER, "audience": "spar"}
        with patch.object(issuers, "check_url"):
            issuer = self.env["spar.token.issuer"].create(
                {**values, "jwks_url": f"{ISSUER}/certs"}
            )
        payer = self.make_participant(
            "of-issuer.example",
            token_issuer_id=issuer.id,
            issuer_client_id="payer",
            **EVERY_RIGHT,
        )
        self.env.flush_all()
        query = "UPDATE spar_token_issuer SET %s = %s WHERE id = %s"
        for name, bad, good in (
            ("active", False, True),
            ("issuer", "https://other.example", ISSUER),
        ):
            column = SQL.identifier(name)
            with self.subTest(name):
                self.assertEqual(self.find(ISSUER, "payer"), (payer.id, True))
                self.execute(query, column, bad, issuer.id)
                self.assertEqual(self.find(ISSUER, "payer"), (0, False))
                self.execute(query, column, good, issuer.id)
        self.assertEqual(self.find(ISSUER, "payer"), (payer.id, True))
        self.set_column(payer, "issuer_client_id", "somebody")
        self.assertEqual(self.find(ISSUER, "payer"), (0, True))

    def find(self, issuer, client):
        """Return the participant with this client, and whether the issuer is in use."""
        cached = self.env["spar.participant.cache"]._find(ISSUER_CLIENT, client, issuer)
        taken = self.env["spar.row.versions"]._reuse(
            self.env["spar.token.issuer"], "_read_issuers", "spar.token.issuer"
        )
        return cached.participant_id, issuer in taken
