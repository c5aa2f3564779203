"""A move by a list of old and new numbers."""

import base64

from odoo.exceptions import AccessError, UserError

from .common import ID, OTHER_ID
from .move_case import MoveCase

OLD_FA, OTHER_OLD = "account:11110000@E1.OLDB", "account:22220000@W1.OLDB"


class TestMoveList(MoveCase):
    def setUp(self):
        super().setUp()
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, OTHER_OLD)
        self.close()

    def upload(self, text, **values):
        data = text if isinstance(text, bytes) else text.encode()
        return self.prepare(
            rule="list", numbers_file=base64.b64encode(data).decode(), **values
        )

    def finish(self, move):
        move.action_count()
        self.run_move()
        move.action_propose()
        self.approve(move)
        self.run_move()

    def count_rows(self):
        self.env.cr.execute("SELECT count(*) FROM spar_move_number")
        return self.env.cr.fetchone()[0]

    def test_numbers_follow_the_list(self):
        move = self.upload("old,new\n11110000,700001\n99999999,700002\n")
        self.assertEqual(move.number_count, 2)
        self.finish(move)
        self.assertEqual(self.get_fa(ID), "account:700001@E1.NEWB")
        self.assertEqual(
            self.get_left(move), {self.mapping_of(OTHER_ID).id: "unlisted"}
        )

    def test_lists_as_they_are_written(self):
        for text in (
            "11110000,700001\n22220000,700002\n",
            "Old;New\n1111-0000;7000 01\n2222 0000;700002\n",
            "old\tnew\n11110000\t700001\n22220000\t700002",
            'List of numbers\n\nOld;New\n="11110000";\'700001\n22220000;700002\n',
            "\ufeffold,new\n١١١١٠٠٠٠,700001\n22220000,٧٠٠٠٠٢\n\n",
            "old,new\n11110000,700001\n22220000,700002\n".encode("utf-16"),
        ):
            with self.subTest(text), self.undone():
                self.finish(self.upload(text))
                self.assertEqual(self.get_fa(ID), "account:700001@E1.NEWB")
                self.assertEqual(self.get_fa(OTHER_ID), "account:700002@W1.NEWB")

    def test_it_is_sealed_while_it_waits_and_destroyed_after(self):
        move = self.upload("old,new\n11110000,70000123\n")
        self.assertEqual(self.find_clear("11110000", "70000123"), [])
        self.env.cr.execute(
            """SELECT count(*) FROM ir_attachment
                WHERE res_model LIKE 'spar.move%'"""
        )
        self.assertEqual(self.env.cr.fetchone()[0], 0)
        self.assertEqual(self.count_rows(), 1)
        self.assertFalse(move.read(["numbers_file"])[0]["numbers_file"])
        self.finish(move)
        self.assertEqual(self.count_rows(), 0)

    def test_discarding_a_move_destroys_the_list(self):
        self.upload("old,new\n11110000,700001\n").action_discard()
        self.assertEqual(self.count_rows(), 0)

    def test_it_stays_while_it_is_counted_and_changed(self):
        move = self.upload("old,new\n11110000,700001\n")
        move.action_count()
        self.run_move()
        move.action_change()
        self.assertEqual((self.count_rows(), move.number_count), (1, 1))

    def test_another_file_takes_its_place(self):
        move = self.upload("old,new\n11110000,700001\n")
        move.numbers_file = base64.b64encode(b"22220000,700002").decode()
        self.assertEqual(self.count_rows(), 1)
        self.finish(move)
        self.assertEqual(self.get_fa(OTHER_ID), "account:700002@W1.NEWB")
        self.assertIsNone(self.get_fa(ID))

    def test_it_is_sealed_anew_with_a_new_key(self):
        numbers = self.env["spar.move.number"]
        self.assertIn(numbers, self.env["spar.keyring"]._get_sealed_models())

    # === REFUSALS === #

    def test_files_that_are_refused(self):
        for text, words in (
            ("old,new\n11110000\n", "Row 2"),
            ("old,new\n11110000,\n", "Row 2"),
            ("old,new\n11110000,#N/A\n", "Row 2"),
            ("old,new\nnull,700001\n", "Row 2"),
            ("old,new\n1,700001\n1,700002\n", "Rows 2 and 3"),
            ("old,new\n1-1,700001\n11,700002\n", "Rows 2 and 3"),
            ("old,new\n1,700001\n2,700001\n", "Rows 2 and 3"),
            ("old,new\n", "no old and new"),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, words) as raised:
                self.upload(text)
            self.assertNotIn("700001", str(raised.exception))
            self.env.invalidate_all()

    def test_ambiguous_file_raises_a_question(self):
        cases = (
            (
                "Gr\u00f6\u00dfe\u00a0\u00e9;neu\n11110000;700001\n".encode(
                    "mac_roman"
                ),
                "encoding",
                {"numbers_encoding": "mac-roman"},
            ),
            (
                "a,b;c\n11110000,700001;1\n22220000,700002;2\n",
                "separates the cells",
                {"numbers_delimiter": ","},
            ),
            (
                "Konto2025,Konto2026\n11110000,700001\n22220000,700002\n",
                "headers",
                {"numbers_row": 2},
            ),
        )
        for text, words, answer in cases:
            with self.subTest(words), self.undone():
                with self.assertRaisesRegex(UserError, words) as raised:
                    self.upload(text)
                message = str(raised.exception)
                self.assertNotIn("700001", message)
                self.assertIn("••", message)
                self.env.invalidate_all()
                move = self.upload(text, **answer)
                self.assertIn(move.number_count, (1, 2))

    def test_approval_covers_the_list(self):
        move = self.upload("old,new\n11110000,700001\n")
        move.action_count()
        self.run_move()
        move.action_propose()
        self.approve(move)
        other = self.upload("old,new\n11110000,666\n")
        self.tamper("DELETE FROM spar_move_number WHERE move_id = %s", move.id)
        self.tamper("UPDATE spar_move_number SET move_id = %s", move.id)
        self.run_move()
        self.assertEqual(self.get_left(move)[self.mapping_of(ID).id], "unlisted")
        self.assertTrue(other)

    def test_no_role_reads_the_numbers(self):
        self.upload("old,new\n11110000,700001\n")
        for role in ("supervisor", "auditor", "administrator"):
            person = self.create_user(role, f"numbers-{role}")
            with self.assertRaises(AccessError):
                self.env["spar.move.number"].with_user(person).search([])
