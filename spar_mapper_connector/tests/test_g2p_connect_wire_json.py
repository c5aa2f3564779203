import json

from odoo.tests import BaseCase

from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import (
    MalformedMessage,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.wire_json import (
    MAX_DEPTH,
    MAX_DIGITS,
    parse,
)

#: (description, bytes, the member that the text names)
REFUSED = [
    ("nothing", b"", "empty"),
    ("spaces", b"  ", "not JSON"),
    ("a word", b"link", "not JSON"),
    ("two documents", b"{} {}", "not JSON"),
    ("single quotes", b"{'a': 1}", "not JSON"),
    ("trailing comma", b'{"a": 1,}', "not JSON"),
    ("a byte order mark", b"\xef\xbb\xbf{}", "not JSON"),
    ("UTF-16", "{}".encode("utf-16"), "UTF-8"),
    ("an overlong NUL", b'{"a": "\xc0\x80"}', "UTF-8"),
    ("a raw NUL", b'{"a": "\x00"}', "not JSON"),
    ("a raw newline in a text", b'{"a": "x\ny"}', "not JSON"),
    ("an escaped NUL", b'{"a": {"b": ["x", "\\u0000"]}}', "a.b[1]: contains a NUL"),
    ("a NUL in a name", b'{"a": {"\\u0000": 1}}', "a: contains a NUL"),
    ("a high surrogate", b'{"a": "\\ud83d"}', "a: contains an unpaired"),
    ("a low surrogate", b'{"a": "\\uDE00x"}', "a: contains an unpaired"),
    (
        "surrogates in the wrong order",
        b'{"a": "\\ude00\\ud83d"}',
        "a: contains an unpaired",
    ),
    ("a surrogate in a name", b'{"\\ud800": 1}', "contains an unpaired"),
    ("NaN", b'{"a": [NaN]}', "a[0]: not a finite"),
    ("Infinity", b'{"a": Infinity}', "a: not a finite"),
    ("1e400", b'{"a": -1e400}', "a: not a finite"),
    ("21 digits", b'{"a": 123456789012345678901}', "a: a number of more than 20"),
    ("21 digits after the point", b'{"a": 0.12345678901234567890123}', "more than 20"),
    ("5,000 digits", b'{"a": ' + b"9" * 5000 + b"}", "a: a number of more than 20"),
    ("a name twice", b'{"a": {"b": 1, "b": 1}}', "a.b: duplicate member"),
    ("a name twice, once escaped", b'{"b": 1, "\\u0062": 2}', "b: duplicate member"),
    ("50,000 open arrays", b"[" * 50_000, "32 levels"),
    ("50,000 arrays", b"[" * 50_000 + b"]" * 50_000, "32 levels"),
    ("50,000 objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "32 levels"),
    ("deep and mixed", b'[{"a":' * 17 + b"1" + b"}]" * 17, "32 levels"),
    ("deep beside flat", b"[1, [2]," + b"[" * 32 + b"]" * 32 + b"]", "32 levels"),
]


class TestWireJson(BaseCase):
    def test_refusals_name_the_problem_and_its_place(self):
        for label, raw, text in REFUSED:
            with self.subTest(label):
                with self.assertRaises(MalformedMessage) as caught:
                    parse(raw)
                self.assertIn(text, caught.exception.text)
                self.assertEqual(caught.exception.code, "err.request.bad")

    def test_unambiguous_json_is_read_as_json_reads_it(self):
        for raw in (
            b'{"a": [1, -2.5, 1e3, true, false, null, ""], "b": {}}',
            b'  {"a": "\\ud83d\\ude00 \\u00e9"}  ',
            '{"a": "é 日本 😀"}'.encode(),
            b'{"a": "\\\\u0000 and \\\\ud800 are text here"}',
            b'{"": 1, "a b": [[], [{}]]}',
            b'"a text"',
            b"17",
            b"null",
        ):
            with self.subTest(raw[:20]):
                self.assertEqual(parse(raw), json.loads(raw))

    def test_depth_is_counted_exactly(self):
        deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
        self.assertEqual(parse(deepest), json.loads(deepest))
        with self.assertRaises(MalformedMessage):
            parse(b"[" + deepest + b"]")

    def test_brackets_in_texts_are_no_depth(self):
        self.assertEqual(parse(b'["' + b"[{" * 5000 + b'"]'), ["[{" * 5000])

    def test_digits_are_counted_exactly(self):
        longest = b"9" * MAX_DIGITS
        self.assertEqual(parse(longest), int(longest))
        self.assertEqual(parse(b"-" + longest), -int(longest))
        with self.assertRaises(MalformedMessage):
            parse(longest + b"9")

    def test_names_that_may_be_values_are_not_repeated(self):
        for name in ("4711", "token:4711@id", "account 4711"):
            with self.subTest(name):
                raw = f'{{"a": {{"{name}": NaN}}}}'.encode()
                with self.assertRaises(MalformedMessage) as caught:
                    parse(raw)
                self.assertEqual(
                    caught.exception.text, "a.(other): not a finite number"
                )

    def test_syntax_errors_quote_nothing(self):
        for raw in (b'{"id": "4711\x01"}', b'{"id": "\\4711"}', b'{"id": 4711'):
            with self.subTest(raw), self.assertRaises(MalformedMessage) as caught:
                parse(raw)
            self.assertNotIn("4711", caught.exception.text)

    def test_large_bodies_are_read_whole(self):
        document = [{"id": str(i), "n": [i]} for i in range(5000)]
        self.assertEqual(parse(json.dumps(document).encode()), document)
