"""Rows that a process caches are valid until any session changes them."""

import contextlib
import json

from ..exceptions import InvalidIdentifier, KeyMissing, SealBroken
from ..lib.jose.keys import PrivateKey
from ..lib.jose.signatures import read_signature
from ..lib.keyring import bind
from .common import KeyringCase, build_open_keyring

PAYLOAD = b'{"header":{}}'


class KeptRowsCase(KeyringCase):
    def execute(self, query, *values):
        """Change rows as another process would: without notice to this one."""
        self.env.flush_all()
        self.env.cr.execute(query, values)

    def begin_call(self):
        """Begin a transaction, in which no version and no record is cached."""
        self.env.invalidate_all()
        self.env["spar.row.versions"]._forget()


class TestSigningKeys(KeptRowsCase):
    def setUp(self):
        super().setUp()
        self.keys = self.env["spar.signing.key"]
        self.first = self.keys._generate("test")
        self.second = self.keys._generate("test", state="next")
        self.sign()

    def sign(self, algorithm="", use="test"):
        return read_signature(self.keys._sign(use, PAYLOAD, algorithm)).kid

    def assert_missing(self, algorithm="", use="test"):
        self.assert_refused(KeyMissing, self.sign, algorithm, use)

    def set_state(self, key, state):
        self.execute(
            "UPDATE spar_signing_key SET state = %s WHERE id = %s", state, key.id
        )

    def insert(self, private, keyring, use="test", kid=""):
        kid = kid or private.public.kid
        names = (kid, use, private.algorithm)
        self.execute(
            """INSERT INTO spar_signing_key
                      (kid, use, algorithm, state, public_jwk, made_at, private_key)
               VALUES (%s, %s, %s, 'current', %s, now(), %s)""",
            *names,
            json.dumps(private.public.jwk),
            keyring.seal("signing key", private.to_pem(), bind(*names)),
        )
        self.begin_call()

    def test_a_revoked_key_signs_no_more_from_the_next_call_on(self):
        self.set_state(self.first, "retired")
        self.assertEqual(self.sign(), self.first.kid)
        self.begin_call()
        self.assert_missing()
        self.assert_missing("ES256")

    def test_a_key_whose_private_half_is_gone_signs_no_more(self):
        self.execute(
            "UPDATE spar_signing_key SET private_key = NULL WHERE id = %s",
            self.first.id,
        )
        self.begin_call()
        self.assert_missing()

    def test_a_key_that_is_deleted_signs_no_more(self):
        self.execute("DELETE FROM spar_signing_key WHERE use = 'test'")
        self.begin_call()
        self.assert_missing()

    def test_a_replaced_key_signs_no_more_and_its_successor_does(self):
        self.set_state(self.first, "retired")
        self.set_state(self.second, "current")
        self.begin_call()
        self.assertEqual(self.sign(), self.second.kid)

    def test_a_key_that_comes_next_does_not_sign_yet(self):
        self.keys._generate("other", state="next")
        self.assert_missing(use="other")

    def test_a_key_that_was_missing_is_found_in_the_call_after_it_was_made(self):
        self.assert_missing("EdDSA")
        private = PrivateKey.generate("EdDSA")
        self.insert(private, self.keyring)
        self.assertEqual(self.sign("EdDSA"), private.public.kid)
        self.assertEqual(self.sign(), self.first.kid, "the oldest, where none is named")

    def test_a_key_is_for_its_use_and_its_algorithm(self):
        for algorithm, use in (("PS256", "test"), ("ES256", "other"), ("", "other")):
            with self.subTest(algorithm=algorithm, use=use):
                self.assert_missing(algorithm, use)

    def test_a_key_that_another_database_sealed_is_refused(self):
        self.insert(PrivateKey.generate("EdDSA"), build_open_keyring())
        self.assert_refused(SealBroken, self.sign, "EdDSA")
        self.assertEqual(self.sign("ES256"), self.first.kid)

    def test_a_key_under_the_id_of_another_is_refused(self):
        self.insert(PrivateKey.generate("EdDSA"), self.keyring, kid="another")
        self.assert_refused(SealBroken, self.sign, "EdDSA")

    def test_a_damaged_seal_is_refused_though_the_key_was_open(self):
        self.execute(
            """UPDATE spar_signing_key
                  SET private_key = set_byte(private_key, length(private_key) - 1,
                          255 - get_byte(private_key, length(private_key) - 1))
                WHERE id = %s""",
            self.first.id,
        )
        self.begin_call()
        self.assert_refused(SealBroken, self.sign)

    def test_a_retirement_that_is_undone_leaves_the_key_in_use(self):
        with contextlib.suppress(ZeroDivisionError), self.env.cr.savepoint():
            self.keys._rotate("test")
            self.assertEqual(self.sign(), self.second.kid)
            raise ZeroDivisionError
        self.assertEqual(self.sign(), self.first.kid)


class TestIdTypes(KeptRowsCase):
    def setUp(self):
        super().setUp()
        self.types = self.env["spar.id.type"]
        self.other = self.env.ref("spar_mapper_connector.id_type_other")
        self.tax = self.types.create(
            {"name": "Tax number", "code": "tax", "sequence": 1, "strategy": "tax:{x}"}
        )
        self.assert_type(self.tax, "tax:1")

    def begin_call(self):
        """Begin a call after the other process has sealed its change."""
        self.seal_settings("spar.id.type")
        return super().begin_call()

    def assert_type(self, id_type, text):
        self.assertEqual(self.types._identify(text).type_id, id_type.id)

    def assert_invalid(self, code, text):
        error = self.assert_refused(InvalidIdentifier, self.types._identify, text)
        self.assertEqual(error.code, code)

    def change(self, query, *values, id_type=None):
        query = f"UPDATE spar_id_type SET {query} WHERE id = %s"
        self.execute(query, *values, (id_type or self.tax).id)

    def test_another_strategy_applies_from_the_next_call(self):
        self.change("strategy = %s", "vat:{x}")
        self.assert_type(self.tax, "tax:1")
        self.begin_call()
        self.assert_type(self.other, "tax:1")
        self.assert_type(self.tax, "vat:1")

    def test_an_archived_type_recognises_nothing_and_comes_back(self):
        for active, expected in ((False, self.other), (True, self.tax)):
            self.change("active = %s", active)
            self.begin_call()
            self.assert_type(expected, "tax:1")

    def test_without_a_type_for_the_rest_the_next_call_refuses(self):
        self.change("active = false", id_type=self.other)
        self.assert_type(self.other, "4711")
        self.begin_call()
        self.assert_invalid("type", "4711")
        self.assert_type(self.tax, "tax:4711")

    def test_a_check_that_is_added_refuses_and_one_that_is_dropped_does_not(self):
        self.change("\"check\" = 'regex', check_parameter = '[0-9]{4}'")
        self.begin_call()
        self.assert_type(self.tax, "tax:4711")
        self.assert_invalid("check", "tax:1")
        self.change('"check" = NULL')
        self.begin_call()
        self.assert_type(self.tax, "tax:1")

    def test_another_parameter_of_a_check_refuses_what_passed(self):
        self.change("\"check\" = 'regex', check_parameter = '[0-9]+'")
        self.begin_call()
        self.assert_type(self.tax, "tax:1")
        self.change("check_parameter = '[a-z]+'")
        self.begin_call()
        self.assert_invalid("check", "tax:1")

    def test_another_stored_form_applies_from_the_next_call(self):
        self.change("stored_strategy = 'kept:{x}'")
        self.assertEqual(self.types._identify("tax:1").canonical, "tax:1")
        self.begin_call()
        self.assertEqual(self.types._identify("tax:1").canonical, "kept:1")
        self.assert_invalid("delimiter", "tax:a@b")

    def test_another_order_applies_from_the_next_call(self):
        rival = self.types.create(
            {"name": "Rival", "code": "rival", "sequence": 2, "strategy": "tax:{y}"}
        )
        self.assert_type(self.tax, "tax:1")
        self.change("sequence = 3")
        self.begin_call()
        self.assert_type(rival, "tax:1")

    def test_a_deleted_type_recognises_nothing(self):
        self.execute("DELETE FROM spar_id_type WHERE id = %s", self.tax.id)
        self.begin_call()
        self.assert_type(self.other, "tax:1")

    def test_a_rolled_back_change_has_no_effect(self):
        with contextlib.suppress(ZeroDivisionError), self.env.cr.savepoint():
            self.tax.write({"check": "regex", "check_parameter": "[a-z]+"})
            self.assert_invalid("check", "tax:1")
            raise ZeroDivisionError
        self.assert_type(self.tax, "tax:1")
