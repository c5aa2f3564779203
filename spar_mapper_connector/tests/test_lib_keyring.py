import hmac
import json
import os
import stat
import tempfile
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from odoo.tests import BaseCase

from ..exceptions import KeyringExists, KeyringUnavailable, SealBroken
from ..lib import keyring as keys
from .common import build_open_keyring


def make_mac(key, purpose, message=b"message"):
    """Return the MAC of a message under the key of one purpose."""
    mac = key.make_opaque().make_mac(purpose)
    mac.update(message)
    return mac.finalize()


class TestSeal(BaseCase):
    def setUp(self):
        super().setUp()
        self.keyring = build_open_keyring()
        self.context = keys.bind("row", 1, "active")

    def assert_broken(self, purpose, sealed, context):
        with self.assertRaises(SealBroken):
            self.keyring.unseal(purpose, sealed, context)

    def test_a_sealed_value_opens_in_its_context(self):
        for text in ("", "a", "äöü 漢字 🙂", "x" * 100_000, "\x00"):
            with self.subTest(length=len(text)):
                sealed = self.keyring.seal("fa", text, self.context)
                self.assertEqual(self.keyring.unseal("fa", sealed, self.context), text)

    def test_sealing_twice_gives_two_ciphertexts(self):
        sealed = {self.keyring.seal("fa", "1", self.context) for _ in range(50)}
        self.assertEqual(len(sealed), 50)

    def test_a_sealed_value_names_its_version_and_its_key(self):
        sealed = self.keyring.seal("fa", "1", self.context)
        self.assertEqual(sealed[:1], b"\x01")
        self.assertEqual(sealed[1:5].hex(), self.keyring.roles.seal_key)

    def test_a_sealed_value_holds_nothing_of_the_text(self):
        sealed = self.keyring.seal("fa", "account:4711@BR01", self.context)
        self.assertNotIn(b"4711", sealed)

    def test_it_does_not_open_in_another_context(self):
        sealed = self.keyring.seal("fa", "1", self.context)
        for context in (b"", keys.bind("row", 2, "active"), self.context + b"x"):
            with self.subTest(context=context):
                self.assert_broken("fa", sealed, context)

    def test_it_does_not_open_for_another_purpose(self):
        sealed = self.keyring.seal("fa", "1", self.context)
        self.assert_broken("id", sealed, self.context)

    def test_it_does_not_open_with_another_keyring(self):
        sealed = build_open_keyring().seal("fa", "1", self.context)
        self.assert_broken("fa", sealed, self.context)

    def test_it_does_not_open_with_another_key_under_the_same_id(self):
        sealed = self.keyring.seal("fa", "1", self.context)
        same_id = keys.KeyringKey(self.keyring.roles.seal_key, "seal", os.urandom(32))
        other = build_open_keyring(same_id, seal_key=same_id.key_id)
        with self.assertRaises(SealBroken):
            other.unseal("fa", sealed, self.context)

    def test_only_a_key_for_sealing_opens(self):
        key_id = bytes.fromhex(self.keyring.roles.audit_key)
        sealed = self.keyring.seal("fa", "1", self.context)
        self.assert_broken("fa", sealed[:1] + key_id + sealed[5:], self.context)

    def test_a_truncated_value_does_not_open(self):
        sealed = self.keyring.seal("fa", "some text", self.context)
        for length in range(len(sealed)):
            with self.subTest(length=length):
                self.assert_broken("fa", sealed[:length], self.context)

    def test_no_flipped_bit_opens(self):
        sealed = self.keyring.seal("fa", "1", self.context)
        for position in range(len(sealed)):
            altered = bytearray(sealed)
            altered[position] ^= 1
            with self.subTest(position=position):
                self.assert_broken("fa", bytes(altered), self.context)

    def test_a_value_of_an_unknown_version_does_not_open(self):
        sealed = self.keyring.seal("fa", "1", self.context)
        self.assert_broken("fa", b"\x02" + sealed[1:], self.context)

    def test_values_sealed_with_an_older_key_still_open(self):
        older = keys.make_key("seal")
        before = build_open_keyring(older, seal_key=older.key_id)
        sealed = before.seal("fa", "1", self.context)
        after = build_open_keyring(older)
        self.assertEqual(after.unseal("fa", sealed, self.context), "1")
        self.assertNotEqual(after.seal("fa", "1", self.context)[1:5], sealed[1:5])


class TestIndexAndHistory(BaseCase):
    def setUp(self):
        super().setUp()
        self.keyring = build_open_keyring()

    def test_the_same_text_has_the_same_digest(self):
        digest = self.keyring.digest("id", "4711")
        self.assertEqual(digest, self.keyring.digest("id", "4711"))
        self.assertEqual(digest, self.keyring.digester("id")("4711"))
        self.assertEqual({"a": digest}, self.keyring.digests("id", "4711"))

    def test_digests_differ_by_text_purpose_and_key(self):
        digests = {
            self.keyring.digest("id", "4711"),
            self.keyring.digest("id", "4712"),
            self.keyring.digest("fa", "4711"),
            build_open_keyring().digest("id", "4711"),
        }
        self.assertEqual(len(digests), 4)

    def test_while_the_index_key_is_replaced_two_columns_are_written(self):
        new = keys.make_key("index")
        old = keys.make_key("index")
        columns = {"a": old.key_id, "b": new.key_id}
        keyring = build_open_keyring(old, new, index_keys=columns, read_column="b")
        digests = keyring.digests("id", "4711")
        self.assertEqual(set(digests), {"a", "b"})
        self.assertNotEqual(digests["a"], digests["b"])
        self.assertEqual(keyring.digest("id", "4711"), digests["b"])

    def test_many_digests_are_those_of_each_text_in_each_column(self):
        old, new = keys.make_key("index"), keys.make_key("index")
        columns = {"a": old.key_id, "b": new.key_id}
        keyring = build_open_keyring(old, new, index_keys=columns, read_column="a")
        texts = ["4711", "", "४७ é", "4711"]
        each = [keyring.digests("fa", text) for text in texts]
        self.assertEqual(
            keyring.digests_all("fa", texts),
            {column: [found[column] for found in each] for column in ("a", "b")},
        )
        self.assertEqual(keyring.digests_all("fa", []), {"a": [], "b": []})

    def test_a_text_that_is_none_has_no_digest_among_many(self):
        for texts in (["4711", "\ud800"], ["4711", None], [4711]):
            with (
                self.subTest(texts=texts),
                self.assertRaises((UnicodeEncodeError, AttributeError)),
            ):
                self.keyring.digests_all("id", texts)

    def test_macs_differ_by_purpose_message_and_key(self):
        macs = {
            self.keyring.mac("event", b"1"),
            self.keyring.mac("event", b"2"),
            self.keyring.mac("commitment", b"1"),
            build_open_keyring().mac("event", b"1"),
        }
        self.assertEqual(len(macs), 4)

    def test_secrets_are_kept_under_a_key_of_their_own(self):
        kept = self.keyring.secret_digest("me", "s3cret")
        self.assertEqual(kept, self.keyring.secret_digest("me", "s3cret"))
        self.assertNotEqual(kept, self.keyring.secret_digest("me", "s3cres"))
        self.assertNotEqual(kept, self.keyring.secret_digest("them", "s3cret"))
        self.assertNotEqual(kept, build_open_keyring().secret_digest("me", "s3cret"))
        self.assertTrue(self.keyring.is_secret("me", "s3cret", kept))
        self.assertFalse(self.keyring.is_secret("them", "s3cret", kept))
        self.assertNotIn(self.keyring.token_mac(b"s3cret"), (kept, b""))

    def test_bound_parts_cannot_be_shifted(self):
        bound = {
            keys.bind("a", "b"),
            keys.bind("ab"),
            keys.bind("", "ab"),
            keys.bind("ab", ""),
            keys.bind("1:a", "1:b"),
            keys.bind("a1:b"),
            keys.bind("a", "b", ""),
        }
        self.assertEqual(len(bound), 7)


class TestKey(BaseCase):
    def test_a_key_shows_no_material(self):
        key = keys.make_key("seal")
        for shown in (repr(key), str(key), f"{key}"):
            self.assertNotIn(repr(key.material), shown)
            self.assertNotIn(key.material.hex(), shown)

    def test_the_check_value_identifies_the_key_without_revealing_it(self):
        key, other = keys.make_key("seal"), keys.make_key("seal")
        self.assertNotEqual(key.check_value, other.check_value)
        self.assertNotIn(key.material.hex(), key.check_value)
        used = make_mac(key, "spar check value")
        self.assertNotEqual(key.check_value, used.hex())

    def test_each_purpose_and_kind_has_a_key_of_its_own(self):
        key = keys.make_key("seal")
        same = keys.KeyringKey(key.key_id, "audit", key.material)
        made = {make_mac(key, "id"), make_mac(key, "fa"), make_mac(same, "id")}
        self.assertEqual(len(made), 3)

    def test_keys_are_derived_by_hkdf(self):
        """Derivation equals a library's RFC 5869: existing values can be opened."""
        key = keys.make_key("audit")
        derived = HKDF(SHA256(), 32, salt=None, info=b"spar/audit/id").derive(
            key.material
        )
        expected = hmac.digest(derived, b"message", "sha256")
        self.assertEqual(make_mac(key, "id"), expected)

    def test_an_open_keyring_shows_no_key(self):
        """None of its bytes appears when an attribute, at any depth, is printed."""
        key = keys.make_key("token")
        keyring = build_open_keyring(key, token_key=key.key_id)
        keyring.unseal("fa", keyring.seal("fa", "x", b""), b"")
        keyring.token_mac(b"x")
        shown = self.print_all(keyring, depth=4)
        for secret in (key.material, key.material[:8], make_mac(key, "access token")):
            self.assertNotIn(repr(secret)[2:-1], shown)
            self.assertNotIn(secret.hex(), shown)

    def print_all(self, value, depth):
        """Return the printed form of all attributes and items of ``value``."""
        texts = [repr(value)]
        if depth:
            inner = [*vars(value).values()] if hasattr(value, "__dict__") else []
            inner += [*value.keys(), *value.values()] if isinstance(value, dict) else []
            texts += [self.print_all(one, depth - 1) for one in inner]
        return "\n".join(texts)

    def test_a_keyring_gives_the_keys_of_a_kind_oldest_first(self):
        first, second, other = (keys.make_key(k) for k in ("seal", "seal", "audit"))
        ring = keys.Keyring([first, other]).add(second)
        self.assertEqual(ring.of_kind("seal"), [first, second])
        self.assertEqual(ring.of_kind("token"), [])


class TestFile(BaseCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "keyring.json"
        self.ring = keys.Keyring([keys.make_key(kind) for kind in keys.KINDS])

    def assert_unavailable(self, text):
        with self.assertRaises(KeyringUnavailable) as caught:
            keys.read_file(self.path)
        self.assertIn(text, str(caught.exception))

    def test_a_written_file_is_read(self):
        keys.write_file(self.path, self.ring)
        self.assertEqual(keys.read_file(self.path).keys, self.ring.keys)

    def test_the_file_is_for_its_owner_only(self):
        with patch.object(os, "umask"):
            keys.write_file(self.path, self.ring)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_a_missing_folder_is_made_for_its_owner_only(self):
        path = self.folder / "new" / "keyring.json"
        keys.write_file(path, self.ring)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode) & 0o077, 0)

    def test_an_existing_file_is_not_overwritten(self):
        keys.write_file(self.path, self.ring)
        before = self.path.read_bytes()
        with self.assertRaises(KeyringExists):
            keys.write_file(self.path, keys.Keyring([keys.make_key("seal")]))
        self.assertEqual(self.path.read_bytes(), before)
        self.assertEqual(list(self.folder.iterdir()), [self.path])

    def test_a_key_is_added_by_replacing_the_file(self):
        keys.write_file(self.path, self.ring)
        more = self.ring.add(keys.make_key("seal"))
        keys.write_file(self.path, more, replace=True)
        self.assertEqual(keys.read_file(self.path).keys, more.keys)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(list(self.folder.iterdir()), [self.path])

    def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(self):
        keys.write_file(self.path, self.ring)
        before = self.path.read_bytes()
        for name in ("fsync", "replace"):
            with self.subTest(fails=name), patch.object(os, name, side_effect=OSError):
                with self.assertRaises(OSError):
                    keys.write_file(self.path, self.ring, replace=True)
            self.assertEqual(self.path.read_bytes(), before)
            self.assertEqual(list(self.folder.iterdir()), [self.path])

    def test_the_file_is_on_disk_before_it_has_its_name(self):
        seen = []
        replace = os.replace
        with (
            patch.object(os, "fsync", side_effect=lambda _fd: seen.append("sync")),
            patch.object(
                os,
                "replace",
                side_effect=lambda *names: (seen.append("name"), replace(*names)),
            ),
        ):
            keys.write_file(self.path, self.ring, replace=True)
        self.assertEqual(seen, ["sync", "name"])

    def test_a_missing_file_is_unavailable(self):
        self.assert_unavailable("No such file")

    def test_a_folder_is_no_keyring(self):
        self.path.mkdir(mode=0o700)
        self.assert_unavailable("cannot be read")

    def test_a_file_that_others_can_read_is_refused(self):
        keys.write_file(self.path, self.ring)
        for mode in (0o604, 0o640, 0o620, 0o602, 0o610, 0o644, 0o777):
            with self.subTest(mode=oct(mode)):
                self.path.chmod(mode)
                self.assert_unavailable("other users")

    def test_a_damaged_file_is_refused_and_not_shown(self):
        keys.write_file(self.path, self.ring)
        good = self.path.read_bytes()
        document = json.loads(good)
        damaged = {
            "empty": b"",
            "cut": good[:-20],
            "not JSON": b"keys: none",
            "not text": b"\xff\xfe\x00",
            "a list": b"[]",
            "null": b"null",
            "no keys": b"{}",
            "keys is null": b'{"keys": null}',
            "keys are texts": b'{"keys": ["a"]}',
            "a key without material": json.dumps(
                {"keys": [{"id": "00000000", "kind": "seal"}]}
            ).encode(),
            "material is no base64": json.dumps(
                {"keys": [{**document["keys"][0], "material": "a"}]}
            ).encode(),
            "material is a number": json.dumps(
                {"keys": [{**document["keys"][0], "material": 7}]}
            ).encode(),
        }
        for name, content in damaged.items():
            with self.subTest(name):
                self.path.write_bytes(content)
                self.assert_unavailable("damaged")
