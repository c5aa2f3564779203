from odoo.tests import tagged

from .common import RestCase, build_items, build_message

SECRET = "4711471147114711"

#: Bodies that cannot be read: (description, body, member that the message names)
BODIES = [
    ("nothing", b"", "empty"),
    ("not JSON", b"{header", "not JSON"),
    ("a list", b"[]", "object"),
    ("a text", b'"link"', "object"),
    (
        "a member twice",
        b'{"header": {"action": "link", "action": "x"}}',
        "header.action",
    ),
    ("NaN", b'{"header": {"total_count": NaN}}', "header.total_count"),
    ("infinity", b'{"header": {"total_count": -Infinity}}', "header.total_count"),
    ("1e999", b'{"header": {"total_count": 1e999}}', "header.total_count"),
    (
        "a number of 5,000 digits",
        b'{"header": {"total_count": ' + b"9" * 5000 + b"}}",
        "header.total_count",
    ),
    ("arrays 50,000 deep", b"[" * 50_000 + b"]" * 50_000, "32 levels"),
    ("objects 50,000 deep", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "32 levels"),
    ("33 deep", b'{"header":' + b"[" * 32 + b"]" * 32 + b"}", "32 levels"),
    ("an escaped NUL", b'{"header": {"action": "a\\u0000b"}}', "header.action"),
    ("a NUL", b'{"header": "\x00"}', "not JSON"),
    ("half a surrogate pair", b'{"header": {"action": "\\ud800"}}', "header.action"),
    ("Latin-1", b'{"header": "\xe9"}', "UTF-8"),
    ("a surrogate in UTF-8", b'{"header": "\xed\xa0\x80"}', "UTF-8"),
]

#: Required members of a header or message: (path, value or None for missing)
MEMBERS = [
    ("header", None),
    ("header", []),
    ("header.message_id", None),
    ("header.message_id", ""),
    ("header.message_id", 7),
    ("header.message_id", "x" * 100_000),
    ("header.message_id", "a\tb"),
    ("header.message_ts", None),
    ("header.message_ts", 1700000000),
    ("header.action", None),
    ("header.action", ["link"]),
    ("header.sender_id", None),
    ("header.sender_id", ""),
    ("header.sender_id", {}),
    ("header.total_count", None),
    ("header.total_count", "1"),
    ("header.total_count", True),
    ("header.total_count", 1.5),
    ("header.version", 1),
    ("header.receiver_id", []),
    ("header.sender_uri", 3),
    ("header.is_msg_encrypted", "no"),
    ("message", None),
    ("message", "x"),
    ("message.transaction_id", None),
    ("message.transaction_id", ""),
    ("message.transaction_id", 12),
    ("message.transaction_id", "x" * 100),
    ("message.link_request", None),
    ("message.link_request", {}),
    ("message.link_request", []),
]

#: Headers that can be read but are not accepted: (members, code)
HEADERS = [
    ({"version": "2.0.0"}, "rjct.version.invalid"),
    ({"version": ""}, "rjct.version.invalid"),
    ({"message_ts": "yesterday"}, "rjct.message_ts.invalid"),
    ({"message_ts": ""}, "rjct.message_ts.invalid"),
    ({"message_ts": "2026-03-01T10:00:00"}, "rjct.message_ts.invalid"),
    ({"action": "update"}, "rjct.action.not_supported"),
    ({"action": "on-link"}, "rjct.action.not_supported"),
    ({"action": "txn-status"}, "rjct.action.not_supported"),
    ({"action": "search"}, "rjct.action.invalid"),
    ({"action": ""}, "rjct.action.invalid"),
    ({"action": "Link"}, "rjct.action.invalid"),
    ({"total_count": 2}, "rjct.total_count.invalid"),
    ({"total_count": 0}, "rjct.total_count.invalid"),
    ({"total_count": -1}, "rjct.total_count.invalid"),
    ({"total_count": 10**19}, "rjct.total_count.invalid"),
]

#: Items that are rejected alone: (operation, member, value or None for missing, code)
ITEMS = [
    ("link", "reference_id", None, "rjct.reference_id.invalid"),
    ("link", "reference_id", "", "rjct.reference_id.invalid"),
    ("link", "reference_id", 5, "rjct.reference_id.invalid"),
    ("link", "reference_id", "x" * 300, "rjct.reference_id.invalid"),
    ("link", "timestamp", None, "rjct.timestamp.invalid"),
    ("link", "timestamp", "2026-03-01 10:00", "rjct.timestamp.invalid"),
    ("link", "timestamp", "2026-02-30T10:00:00Z", "rjct.timestamp.invalid"),
    ("link", "timestamp", 1700000000, "rjct.timestamp.invalid"),
    ("link", "timestamp", "x" * 100_000, "rjct.timestamp.invalid"),
    ("link", "id", None, "rjct.id.invalid"),
    ("link", "id", "", "rjct.id.invalid"),
    ("link", "id", [SECRET], "rjct.id.invalid"),
    ("link", "id", f"token:{SECRET}\x07@nationalId", "rjct.id.invalid"),
    ("link", "id", f"token:{SECRET}\u200b@nationalId", "rjct.id.invalid"),
    ("link", "id", SECRET * 6250, "rjct.id.invalid"),
    ("link", "id", "   ", "rjct.id.invalid"),
    ("link", "fa", None, "rjct.fa.invalid"),
    ("link", "fa", "", "rjct.fa.invalid"),
    ("link", "fa", {"account": SECRET}, "rjct.fa.invalid"),
    ("link", "fa", f"account:{SECRET}\r\n@BANK", "rjct.fa.invalid"),
    ("link", "fa", SECRET * 6250, "rjct.fa.invalid"),
    ("link", "name", 12, "rjct.name.invalid"),
    ("link", "name", "x" * 1000, "rjct.name.invalid"),
    ("update", "name", 12, "rjct.beneficiary_name.invalid"),
    ("link", "phone_number", [SECRET], "rjct.mobile_number.invalid"),
    ("link", "additional_info", SECRET, "rjct.other.error"),
    ("link", "additional_info", [{"name": "a"}], "rjct.other.error"),
    (
        "link",
        "additional_info",
        [{"name": "a", "value": SECRET * 1000}],
        "rjct.other.error",
    ),
    ("update", "id", None, "rjct.id.invalid"),
    ("update", "fa", None, "rjct.fa.invalid"),
    ("unlink", "id", None, "rjct.id.invalid"),
    ("unlink", "fa", "", "rjct.fa.invalid"),
    ("unlink", "fa", 12, "rjct.fa.invalid"),
    ("resolve", "id", "", "rjct.id.invalid"),
    ("resolve", "id", 7, "rjct.id.invalid"),
    ("resolve", "fa", False, "rjct.fa.invalid"),
    ("resolve", "scope", "everything", "rjct.resolve_type.not_supported"),
    ("resolve", "scope", ["details"], "rjct.resolve_type.not_supported"),
]


def replace(document, path, value):
    """Set the value at ``path`` or, with None, remove it."""
    *parents, member = path.split(".")
    for parent in parents:
        document = document[parent]
    document.pop(member, None)
    if value is not None:
        document[member] = value


@tagged("post_install", "-at_install")
class TestBadInput(RestCase):
    """The code and the text for each kind of bad input; valid items are processed."""

    def build_link(self, *keys, **header):
        items = build_items(*keys, fa="account:{}@BANK")
        return build_message("link", "full.example", items, **header)

    def test_unreadable_bodies_are_refused(self):
        for label, body, named in BODIES:
            with self.subTest(label):
                response = self.call(self.full, "link", body)
                self.assertHttpError(response, 400, "err.request.bad", named)

    def test_missing_members_and_wrong_types_are_refused(self):
        for path, value in MEMBERS:
            with self.subTest(path=path, value=str(value)[:20]):
                message = self.build_link("m")
                replace(message, path, value)
                response = self.call(self.full, "link", message)
                self.assertHttpError(response, 400, "err.request.bad", f"{path}: ")

    def test_null_is_not_absent(self):
        for path in ("message_id", "total_count", "receiver_id", "version"):
            with self.subTest(path):
                message = self.build_link("m", **{path: None})
                response = self.call(self.full, "link", message)
                self.assertHttpError(response, 400, "err.request.bad", f"header.{path}")

    def test_unacceptable_headers_are_rejected(self):
        for members, code in HEADERS:
            with self.subTest(members):
                message = self.build_link("h", **members)
                response = self.call(self.full, "link", message)
                self.assertEqual(response.status_code, 200, response.text)
                document = response.json()
                self.assertEqual(document["header"]["status"], "rjct")
                self.assertEqual(document["header"]["status_reason_code"], code)
                (member,) = members
                self.assertIn(member, document["header"]["status_reason_message"])
                self.assertEqual(document["header"]["action"], "on-link")
                self.assertNotIn("message", document)
        answers = self.ask(self.full, "resolve", build_items("h"))
        self.assertCodes(answers, "succ.id.not_found")

    def test_encrypted_messages_are_not_read(self):
        message = self.build_link("e", is_msg_encrypted=True)
        response = self.call(self.full, "link", message)
        self.assertHttpError(response, 400, "err.encryption.invalid", "message")
        message = self.build_link("e")
        message["message"] = {"ciphertext": "x", "iv": "x", "tag": "x"}
        response = self.call(self.full, "link", message)
        self.assertHttpError(response, 400, "err.encryption.invalid", "message")

    def test_only_the_bad_item_is_rejected(self):
        for number, (operation, member, value, code) in enumerate(ITEMS):
            with self.subTest(
                operation=operation, member=member, value=str(value)[:20]
            ):
                self.check_bad_item(number, operation, member, value, code)

    def check_bad_item(self, number, operation, member, value, code):
        """Check that of three items, only the bad one in the middle is rejected."""
        keys = [f"{number}-{part}" for part in "abc"]
        if operation != "link":
            self.link(keys[0], keys[2])
        members = {} if operation == "resolve" else {"fa": "account:{}@BANK"}
        items = build_items(*keys, **members)
        replace(items[1], member, value)
        before, bad, after = self.ask(self.full, operation, items)
        self.assertEqual([before["status"], after["status"]], ["succ", "succ"])
        self.assertEqual((bad["status"], bad["status_reason_code"]), ("rjct", code))
        self.assertIn(member, bad["status_reason_message"])
        self.assertNotIn(SECRET, bad["status_reason_message"])
        self.assertLess(len(str(bad)), 3000, "a long value must not come back")

    def test_null_members_of_items(self):
        for member in ("id", "fa", "name", "timestamp", "reference_id"):
            with self.subTest(member):
                items = build_items("null", fa="account:{}@BANK")
                items[0][member] = None
                (answer,) = self.ask(self.full, "link", items)
                self.assertEqual(answer["status"], "rjct")
                self.assertIn(member, answer["status_reason_message"])

    def test_items_that_are_not_objects_are_rejected(self):
        items = [None, 7, "x", [], True, *build_items("ok", fa="account:{}@BANK")]
        answers = self.ask(self.full, "link", items)
        self.assertCodes(answers, *["rjct.reference_id.invalid"] * 5, None)

    def test_resolve_without_id_and_address(self):
        items = build_items("neither")
        del items[0]["id"]
        (answer,) = self.ask(self.full, "resolve", items)
        self.assertCodes([answer], "rjct.id.invalid")

    def test_invalid_locale_is_ignored(self):
        items = build_items("lo", locale="Klingon of the North")
        (answer,) = self.ask(self.full, "resolve", items)
        self.assertEqual(answer["locale"], "eng")

    def test_similar_ids_are_different_ids(self):
        self.link("Alike")
        answers = self.ask(self.full, "resolve", build_items("alike", "Alike"))
        self.assertCodes(answers, "succ.id.not_found", "succ.id.active")
