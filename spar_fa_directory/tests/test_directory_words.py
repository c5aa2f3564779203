import random

from ..lib.directory_query import SearchAttempt, build_word, quote
from ..lib.fa_checks import run_check
from ..lib.json_schema import build_schema
from .common import DirectoryCase


class TestWords(DirectoryCase):
    """The words that the database derives from texts and stores."""

    def _ask(self, query, *values):
        self.env.flush_all()
        self.env.cr.execute(query, values)
        return [row[0] for row in self.env.cr.fetchall()]

    def _get_tokens(self, text):
        return self._ask("SELECT spar_directory_tokens(%s)", text)

    def _get_words(self, record):
        query = f"SELECT tsvector_to_array(search_words) FROM {record._table}"
        return set(self._ask(f"{query} WHERE id = %s", record.id)[0])

    def _is_known(self, word):
        query = "SELECT count(*) FROM spar_directory_word WHERE word = %s"
        return bool(self._ask(query, word)[0])

    def test_letters_are_folded(self):
        for text, folded in (
            ("Crédit AGRICOLE", "credit agricole"),
            ("ŁÓDŹ Øre Straße", "lodz ore strasse"),
            ("People's People’s", "peoples peoples"),
            ("e\u0301 \ufb01ne ①", "e fine 1"),
            ("بَنْكُ أحـمد", "بنك احمد"),
            ("Ёлка", "елка"),
            ("re\u200bd\u202ee", "rede"),
            ("हिन्दी", "हिन्दी"),
            ("", ""),
        ):
            with self.subTest(text=text):
                found = self._ask("SELECT spar_directory_fold(%s)", text)
                self.assertEqual(found, [folded])

    def test_texts_are_taken_apart(self):
        for text, tokens in (
            ("Bank of India", [["bank"], ["of"], ["india"]]),
            ("Marn, University (East)", [["marn"], ["university"], ["east"]]),
            ("Market-Yard", [["marketyard", "market", "yard"]]),
            ("S.B.I.", [["sbi", "s", "b", "i"]]),
            ("A/B;C|D", [["a"], ["b"], ["c"], ["d"]]),
            ("بنك، أحمد", [["بنك"], ["احمد"]]),
            (" -- . \u3000 ", []),
            ("x" * 100, [["x" * 60]]),
        ):
            with self.subTest(text=text):
                self.assertEqual(self._get_tokens(text), tokens)

    def test_a_word_has_a_plain_form(self):
        for word, plain in (
            ("bank", "bank"),
            ("البنك", "بنك"),
            ("والصرافه", "صرافه"),
            ("للبنك", "بنك"),
            ("ال", "ال"),
            ("الف", "الف"),
            ("הבנק", "בנק"),
            ("הר", "הר"),
            ("पन्जाब", "पंजाब"),
            ("गाँव", "गांव"),
            ("नयी", "नई"),
            ("यी", "यी"),
            ("বাঙ্ক", "বাংক".replace("ং", "ं")),
            ("елка", "елка"),
        ):
            with self.subTest(word=word):
                found = self._ask("SELECT spar_directory_plain(%s)", word)
                self.assertEqual(found, [plain])

    def test_words_that_stand_together_are_kept_as_one(self):
        self.north.write({"name": "Qort Amarel & Quay, East", "city": "Qort Amarel"})
        runs = {w for w in self._get_words(self.north) if w.startswith("~")}
        self.assertEqual(runs, {"~qortamarel", "~qortamarelquay", "~amarelquay"})
        self.assertFalse(self._is_known("~qortamarel"))

    def test_forms_of_a_word_lack_one_letter(self):
        (forms,) = self._ask("SELECT spar_directory_forms(%s)", "bank")
        self.assertEqual(set(forms), {"bank", "ank", "bnk", "bak", "ban"})

    def test_every_slip_of_a_finger_is_near(self):
        chance = random.Random(3)
        for _number in range(200):
            word = "".join(chance.choice("abcdefgh") for _letter in range(6))
            place, letter = chance.randrange(5), chance.choice("abcdefgh")
            before, after = word[:place], word[place + 1 :]
            for slip in (
                before + after,
                before + letter + word[place:],
                before + letter + after,
                before + after[0] + word[place] + after[1:],
            ):
                query = "SELECT spar_directory_forms(%s) && spar_directory_forms(%s)"
                with self.subTest(word=word, slip=slip):
                    self.assertEqual(self._ask(query, word, slip), [True])

    def test_a_record_has_its_words_and_no_others(self):
        self.assertEqual(
            self._get_words(self.bank), {"test", "bank", "testbank", "testdeffxxx"}
        )
        words = {"tbn", "tb", "n"}
        self.assertEqual(self._get_words(self.north), words | {"north", "marn"})
        self.north.write({"name": "Elsewhere", "city": False})
        self.assertEqual(self._get_words(self.north), words | {"elsewhere"})

    def test_words_of_each_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.bank.with_context(lang="fr_FR").name = "Banque d'Essai"
        self.assertLessEqual({"test", "banque", "dessai"}, self._get_words(self.bank))

    def test_words_are_learnt_with_a_record_and_with_a_change(self):
        for word in ("qaxville", "qixville"):
            self.assertFalse(self._is_known(word))
        branch = self.env["spar.fsp.branch"].create(
            {"name": "Qaxville 12ab", "code": "Q", "provider_id": self.bank.id}
        )
        self.assertTrue(self._is_known("qaxville"))
        branch.city = "Qixville"
        self.assertTrue(self._is_known("qixville"))

    def test_numbers_and_short_words_are_not_learnt(self):
        self.north.name = "Qzz 4711x Qzzz"
        self.assertEqual(
            [self._is_known(word) for word in ("qzz", "4711x", "qzzz")],
            [False, False, True],
        )

    def test_overlong_text_is_cut(self):
        self.north.name = "word " * 5000
        self.assertIn("word", self._get_words(self.north))
        self.bank.name = "\U0001f3e6" * 300 + " '\"\\ " + "y" * 3000
        self.assertIn("y" * 60, self._get_words(self.bank))

    def test_the_indexes_are_used(self):
        self.env.flush_all()
        for other in ("seqscan", "indexonlyscan"):
            self.env.cr.execute(f"SET LOCAL enable_{other} = off")
        for query, index in (
            (
                "SELECT 1 FROM spar_fsp_branch WHERE search_words @@ '''a'''",
                "spar_fsp_branch_search_words",
            ),
            (
                "SELECT 1 FROM spar_fsp WHERE search_words @@ '''a'''",
                "spar_fsp_search_words",
            ),
            (
                "SELECT 1 FROM spar_directory_word WHERE forms && ARRAY['abc']",
                "spar_directory_word_forms",
            ),
            (
                "SELECT 1 FROM spar_directory_word WHERE word % 'abcdef'",
                "spar_directory_word_trigrams",
            ),
        ):
            with self.subTest(index=index):
                plan = "\n".join(self._ask(f"EXPLAIN {query.replace('%', '%%')}"))
                self.assertIn(index, plan)

    def test_it_can_be_made_again(self):
        for model in ("spar.fsp", "spar.fsp.branch"):
            self.env[model].init()
        self.assertEqual(
            self._get_words(self.bank), {"test", "bank", "testbank", "testdeffxxx"}
        )


class TestQuery(DirectoryCase):
    """The pure parts."""

    def test_no_word_can_be_more_than_a_word(self):
        for word in ("a' | 'b", "\\", "a:*", "!a", "(a", "''", "a & b"):
            with self.subTest(word=word):
                query = "SELECT numnode(%s::tsquery)"
                self.env.cr.execute(query, (quote(word),))
                self.assertEqual(self.env.cr.fetchone()[0], 1)

    def test_levels_stand_in_their_order(self):
        word = build_word(["bnak"], ["bank"], ["banka", "bunak"])
        self.assertEqual(
            word.levels, ("'bnak'", "'bnak':*", "'bank'", "'banka' | 'bunak'")
        )
        self.assertEqual(word.any, "'bnak':* | 'bank' | 'banka' | 'bunak'")

    def test_one_word_may_be_missing(self):
        words = [build_word([letter]) for letter in "abc"]
        query = SearchAttempt(words, 0, may_miss_one=True).all
        for vector, matches in (
            ("'a' 'b'", True),
            ("'c' 'b'", True),
            ("'a'", False),
            ("'a' 'x'", False),
        ):
            self.env.cr.execute("SELECT %s::tsvector @@ %s::tsquery", (vector, query))
            with self.subTest(vector=vector):
                self.assertEqual(self.env.cr.fetchone()[0], matches)


class TestSchema(DirectoryCase):
    def test_a_pattern_means_the_same_as_the_check(self):
        for pattern, good, bad in (
            ("[0-9]+", "123", "12a"),
            ("a|b", "b", "ab"),
            ("[A-Z]{2}-?[0-9]{3}", "AB-123", "xAB123"),
        ):
            schema = build_schema("regex", pattern)
            with self.subTest(pattern=pattern):
                run_check("regex", good, pattern)
                self.assertRegex(good, schema["pattern"])
                self.assertNotRegex(bad, schema["pattern"])

    def test_classes_of_letters_are_written_as_ecma_writes_them(self):
        schema = build_schema("regex", r"\pL[\p{Lu}\PN]")
        self.assertEqual(schema["pattern"], r"^(?:\p{L}[\p{Lu}\P{N}])$")

    def test_engine_specific_syntax_is_omitted(self):
        for pattern in ("(?i)abc", r"\Aabc\z", "[[:alpha:]]+", "(?P<x>a)", r"\Qa.b\E"):
            with self.subTest(pattern=pattern):
                self.assertNotIn("pattern", build_schema("regex", pattern))

    def test_checks_without_patterns(self):
        for check in ("iban", "bic", "luhn", "phone", "stdnum", ""):
            with self.subTest(check=check):
                self.assertEqual(
                    build_schema(check, ""), {"type": "string", "minLength": 1}
                )
        self.assertEqual(build_schema("email", "")["format"], "idn-email")
