import base64
import io
import zipfile
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form
from odoo.tools import mute_logger

from ..lib.csv_file import CsvFormat, read_records
from ..models.table_import import spar_table_import
from .common import DirectoryCase

GOOD = "provider,name,code,city\nTESTBANK,East,TB-E,Marn\nTest Bank,West,TB-W,Sella\n"


class ImportCase(DirectoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = cls._create_user("administrator")
        cls.jobs = cls.env["spar.directory.import"].with_user(cls.administrator)
        cls.branches = cls.env["spar.fsp.branch"]

    def _upload(self, data, **values):
        data = data.encode() if isinstance(data, str) else data
        return self.jobs.create(
            {"file": base64.b64encode(data), "filename": "branches.csv", **values}
        )

    def _load(self, data, **values):
        job = self._upload(data, **values)
        job._load_now()
        return job

    def _get_refusals(self, job):
        return [(r.row, r.header, r.problem) for r in job.refusal_ids]

    def _assert_row_refused(self, row, header, text, data=None, **values):
        """Assert that the row is refused, with column and remedy; others are kept."""
        data = data or f"provider,name,code,city\n{row}\nTESTBANK,Kept,KEPT,Marn\n"
        job = self._load(data, **values)
        self.assertEqual(len(job.refusal_ids), 1, self._get_refusals(job))
        refusal = job.refusal_ids
        self.assertEqual((refusal.row, refusal.header or ""), (2, header))
        self.assertRegex(refusal.problem, text)
        self.assertTrue(self.branches.search([("code", "=", "KEPT")]))


class TestLoading(ImportCase):
    def test_branches_are_loaded_with_the_file_they_came_from(self):
        job = self._load(GOOD)
        self.assertEqual(job.state, "done")
        self.assertEqual((job.row_count, job.added_count), (2, 2))
        self.assertEqual(job.progress, 100)
        east = self.branches.search([("code", "=", "TB-E")])
        self.assertEqual(
            (east.provider_id, east.name, east.city, east.import_id, east.import_row),
            (self.bank, "East", "Marn", job, 2),
        )
        self.assertEqual(
            self.branches.search(job.action_open_loaded()["domain"]),
            self.branches.search([("code", "in", ["TB-E", "TB-W"])]),
        )

    def test_providers_are_loaded_and_linked_to_odoos_banks(self):
        odoo_bank = self.env["res.bank"].create({"name": "Estonian", "bic": "EESTEE20"})
        job = self._load(
            "code,name,kind,country,swift\n"
            "EE1,Eesti Pank,bank,EE,EESTEE20XXX\n"
            "MW1,Pocket,Mobile Wallet,Estonia,\n",
            kind="provider",
        )
        bank, wallet = self.env["spar.fsp"].search([("import_id", "=", job.id)])
        self.assertEqual((bank.bank_id, bank.country_id.code), (odoo_bank, "EE"))
        self.assertEqual((wallet.kind, wallet.country_id.code), ("wallet", "EE"))
        self.assertFalse(wallet.bank_id)

    def test_encoding_and_delimiter_are_detected(self):
        text = "Bank;Branch;IFSC;City1\nTestBank;Île;ILE;Orléans\n"
        for encoding in ("utf-8-sig", "utf-16", "cp1252"):
            with self.subTest(encoding=encoding):
                job = self._load(text.encode(encoding), on_existing="update")
                self.assertEqual(job.delimiter, ";")
                branch = self.branches.search([("code", "=", "ILE")])
                self.assertEqual((branch.name, branch.city), ("Île", "Orléans"))

    def test_a_wrong_guess_is_corrected_by_hand(self):
        job = self._upload("provider,name,code\nTESTBANK,Łódź,LODZ\n".encode("cp1250"))
        job.encoding = "cp1250"
        self.assertIn("Łódź", job.column_ids[1].sample)
        job._load_now()
        self.assertEqual(self.branches.search([("code", "=", "LODZ")]).name, "Łódź")

    def test_columns_are_chosen_by_hand(self):
        job = self._upload("x,y,z\nTESTBANK,East,TB-E\n")
        for column, name in zip(
            job.column_ids, ("provider", "name", "code"), strict=True
        ):
            column.name = name
        self._assert_refused("which row contains", job.action_load, exception=UserError)
        job.action_confirm()
        job._load_now()
        self.assertEqual(self.branches.search([("code", "=", "TB-E")]).name, "East")

    def test_one_provider_for_all(self):
        self._load("name,code\nEast,TB-E\n", provider_id=self.bank.id)
        east = self.branches.search([("code", "=", "TB-E")])
        self.assertEqual(east.provider_id, self.bank)

    def test_existing_records_are_updated_on_request(self):
        job = self._load(
            "provider,name,code,city\nTESTBANK,Nord,tb.N,Vellin\n", on_existing="update"
        )
        self.assertEqual((job.added_count, job.updated_count), (0, 1))
        self.assertEqual(
            (self.north.name, self.north.code, self.north.city),
            ("Nord", "tb.n", "Vellin"),
        )

    def test_missing_column_changes_nothing(self):
        self._load("provider,name,code\nTESTBANK,Nord,tb.n\n", on_existing="update")
        self.assertEqual((self.north.name, self.north.city), ("Nord", "Marn"))

    def test_empty_rows_and_missing_last_cells_do_no_harm(self):
        job = self._load("provider,name,code,city\n\nTESTBANK,East,TB-E\n,,,\n")
        self.assertEqual((job.added_count, job.refused_count), (1, 0))

    def test_corrected_refused_rows_are_loaded(self):
        job = self._load("provider,name,code,city\nTESTBANK,East,TB E,=1+1\n")
        back = base64.b64decode(job.refused_file)
        self.assertIn(b"'=1+1", back)
        again = self._load(back.replace(b"TB E", b"TB-E"))
        self.assertEqual((again.added_count, again.refused_count), (1, 0))
        self.assertEqual(self.branches.search([("code", "=", "TB-E")]).city, "=1+1")


class TestProviders(ImportCase):
    HEADER = "code,name,kind,country,bic\n"

    def _find(self, code):
        return self.env["spar.fsp"].search([("code", "=", code)])

    def test_kinds_and_countries_are_written_as_people_do(self):
        self._load(
            self.HEADER
            + "A1,One,WALLET,ee,\nA2,Two,e-mail wallet,Estonia,\nA3,Three,,,\n",
            kind="provider",
        )
        one, two, three = (self._find(code) for code in ("A1", "A2", "A3"))
        self.assertEqual((one.kind, one.country_id.code), ("wallet", "EE"))
        self.assertEqual((two.kind, two.country_id.code), ("email_wallet", "EE"))
        self.assertEqual((three.kind, three.country_id.code), ("bank", False))

    def test_existing_provider_is_updated_and_keeps_its_code(self):
        job = self._load(
            self.HEADER + "testbank,Renamed,,EE,\n",
            kind="provider",
            on_existing="update",
        )
        self.assertEqual((job.added_count, job.updated_count), (0, 1))
        self.assertEqual((self.bank.name, self.bank.code), ("Renamed", "TestBank"))
        self.assertEqual(self.bank.bic, "TESTDEFFXXX")
        self.assertEqual(self.bank.country_id.code, "EE")

    def test_providers_and_then_their_branches(self):
        self._load(self.HEADER + "NEW1,New Bank,bank,EE,\n", kind="provider")
        job = self._load("bank,branch,ifsc\nNew Bank,East,E1\nnew1,West,W1\n")
        self.assertEqual(job.added_count, 2)
        self.assertEqual(self._find("NEW1").branch_ids.mapped("code"), ["E1", "W1"])

    def test_loading_the_same_file_again_refuses_or_changes_nothing(self):
        data = self.HEADER + "NEW1,New Bank,bank,EE,\nNEW2,Other,bank,EE,\n"
        self._load(data, kind="provider")
        again = self._load(data, kind="provider")
        self.assertEqual((again.added_count, again.refused_count), (0, 2))
        updated = self._load(data, kind="provider", on_existing="update")
        self.assertEqual((updated.added_count, updated.updated_count), (0, 2))
        self.assertEqual(len(self._find("NEW1")), 1)

    def test_deleting_the_file_keeps_the_loaded_records(self):
        job = self._load(GOOD)
        loaded = self.branches.search([("import_id", "=", job.id)])
        job.unlink()
        self.assertEqual(len(loaded.exists()), 2)
        self.assertFalse(loaded.import_id)


class TestRefusedRows(ImportCase):
    def test_cells_that_cannot_be_loaded(self):
        for row, header, text in [
            ("NONE,East,TB-E,Marn", "provider", "no provider with this code"),
            ("TESTBANK,East,TB E,Marn", "code", "cannot contain spaces"),
            ("TESTBANK,East,caf\u00e9,Marn", "code", "plain letters"),
            ("TESTBANK,East,1.2E+11,Marn", "code", "as text"),
            ("TESTBANK,East,,Marn", "code", "empty"),
            ("TESTBANK,,TB-E,Marn", "name", "empty"),
            (",,TB-E,Marn", "name, provider", "empty"),
            ("TESTBANK,a\x07b,TB-E,Marn", "name", "invisible characters"),
            ("TESTBANK,a\0b,TB-E,Marn", "name", "invisible characters"),
            (f"TESTBANK,{'x' * 300},TB-E,Marn", "name", "shorten"),
            ("TESTBANK,North,tb.N,Marn", "code", "already has this code"),
            ('TESTBANK,"East,TB-E,Marn', "", "quotation mark"),
            ("TESTBANK,East,TB-E,Marn,5,6", "", "6 cells, the header 4"),
        ]:
            with self.subTest(row=row):
                self._assert_row_refused(row, header, text)
                self.branches.search([("code", "=", "KEPT")]).unlink()

    def test_bytes_of_another_encoding(self):
        data = (
            b"provider,name,code,city\nTESTBANK,Orl\xe9"
            + "ans,TB-E,Marn\nTESTBANK,Kept São,KEPT,Marn\n".encode()
        )
        self._assert_row_refused(None, "name", "save the file as UTF-8", data)

    def test_a_code_twice_names_the_first_row(self):
        for rows in (1, spar_table_import.CHUNK_ROWS):
            with (
                self.subTest(rows=rows),
                patch.object(spar_table_import, "CHUNK_ROWS", rows),
            ):
                job = self._load(GOOD + "TESTBANK,East,tb-e,Marn\n")
                self.assertEqual(job.added_count, 2)
                (refusal,) = self._get_refusals(job)
                self.assertEqual(refusal[:2], (4, "code"))
                self.assertIn("Row 2", refusal[2])
                self.branches.search([("import_id", "=", job.id)]).unlink()

    def test_two_providers_of_one_name_or_an_archived_one(self):
        self.env["spar.fsp"].create({"name": "Test Bank", "code": "TWIN"})
        self._assert_row_refused("Test Bank,E,TB-E,", "provider", "enter the code")
        self.wallet.action_archive()
        self.branches.search([("code", "=", "KEPT")]).unlink()
        self._assert_row_refused("TESTWALLET,E,TB-E,", "provider", "archived")

    def test_providers_that_cannot_be_loaded(self):
        job = self._load(
            "code,name,kind,country,bic\n"
            "P1,One,casino,EE,\nP2,Two,bank,Atlantis,\nP3,Three,bank,EE,WRONG\n"
            "testbank,Four,bank,EE,\nP5,Five,bank,EE,\n",
            kind="provider",
        )
        self.assertEqual(
            [refusal[:2] for refusal in self._get_refusals(job)],
            [(2, "kind"), (3, "country"), (4, "bic"), (5, "code")],
        )
        self.assertEqual(job.added_count, 1)


class TestRefusedFiles(ImportCase):
    def test_wrong_headers_are_named_before_anything_is_loaded(self):
        job = self._upload("Filiale,Ort\nEast,Marn\n")
        self._assert_refused("Filiale, Ort", job.action_load, exception=UserError)
        self.assertEqual(job.state, "draft")

    def test_a_column_taken_twice_is_named(self):
        job = self._upload("name,x,code\nEast,2,3\n", provider_id=self.bank.id)
        job.column_ids[1].name = "name"
        self._assert_refused("assigned to Name", job.action_load, exception=UserError)

    def test_files_that_are_not_csv_are_refused(self):
        spreadsheet = io.BytesIO()
        with zipfile.ZipFile(spreadsheet, "w") as archive:
            archive.writestr("xl/workbook.xml", "<workbook/>")
        for data, text in [
            (spreadsheet.getvalue(), "save it as CSV"),
            (b" \n", "empty"),
        ]:
            with self.subTest(data=data):
                self._assert_refused(text, self._upload, data, exception=UserError)

    def test_only_administrators_reach_the_files(self):
        job = self._upload(GOOD)
        for role in ("viewer", "officer", "supervisor", "auditor"):
            user = self._create_user(role)
            with self.subTest(role=role):
                with self.assertRaises(AccessError):
                    job.with_user(user).read(["filename"])
                with self.assertRaises(AccessError):
                    self.jobs.with_user(user).create({"file": base64.b64encode(b"a")})
                attachment = job._get_attachment().with_user(user)
                with self.assertRaises(AccessError):
                    attachment.read(["raw"])

    def test_a_file_that_is_being_loaded_stays(self):
        job = self._upload(GOOD)
        job.action_load()
        for change in (
            lambda: job.write({"file": base64.b64encode(b"a,b")}),
            job.action_load,
            job.unlink,
        ):
            with self.assertRaises(UserError):
                change()


class TestBackground(ImportCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(spar_table_import, "CHUNK_ROWS", 2))
        rows = [f"TESTBANK,Branch {number},B{number}," for number in range(9)]
        self.job = self._upload("\n".join(["provider,name,code,city", *rows]))
        self.job.action_load()

    def _count(self):
        return self.branches.search_count([("import_id", "=", self.job.id)])

    def _run(self, *answers):
        """Run the scheduled job until it has no time left."""
        results = iter(answers)
        with patch.object(
            type(self.env["ir.cron"]),
            "_commit_progress",
            lambda *args, **words: next(results, 1),
        ):
            self.env["spar.directory.import"]._cron_load()

    def test_loading_continues_where_time_ran_out(self):
        self._run(1, 0)
        self.assertEqual((self.job.state, self._count()), ("waiting", 4))
        self.assertTrue(0 < self.job.progress < 100)
        self._run()
        self.assertEqual((self.job.state, self._count()), ("done", 9))
        self.assertEqual(self.job.row_count, 9)
        self.assertFalse(self.job.refusal_ids)

    def test_loading_stops_and_continues_on_request(self):
        self._run(1, 0)
        self.job.action_stop()
        self._run()
        self.assertEqual((self.job.state, self._count()), ("stopped", 4))
        self.job.action_load()
        self._run()
        self.assertEqual((self.job.state, self._count()), ("done", 9))

    def test_a_chunk_that_fails_leaves_nothing_and_others_go_on(self):
        other = self._upload(GOOD)
        other.action_load()
        failing = self.branches.search([])[:0]
        create = type(self.branches).create

        def fail(branches, vals_list):
            if any(vals["code"] == "B4" for vals in vals_list):
                raise RuntimeError("no space")
            return create(branches, vals_list)

        with (
            patch.object(type(failing), "create", fail),
            mute_logger(spar_table_import.__name__),
        ):
            self._run()
        self.assertEqual((self.job.state, self._count()), ("failed", 4))
        self.assertIn("server log", self.job.problem)
        self.assertEqual(other.state, "done")
        self.job.action_load()
        self._run()
        self.assertEqual((self.job.state, self._count()), ("done", 9))

    def test_the_scheduler_is_called_at_once(self):
        cron = self.env.ref("spar_fa_directory.ir_cron_load")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertTrue(triggers)

    def test_files_are_loaded_one_after_the_other(self):
        other = self._upload(GOOD)
        other.action_load()
        self._run()
        self.assertEqual((self.job.state, other.state), ("done", "done"))
        self.assertEqual(other.added_count, 2)

    def test_another_file_in_its_place_begins_anew(self):
        self._run(1, 0)
        self.job.action_stop()
        self.job.write({"file": base64.b64encode(GOOD.encode())})
        self.assertEqual((self.job.progress, self.job.added_count), (0, 0))
        self.job.action_load()
        self._run()
        self.assertEqual((self.job.state, self.job.added_count), ("done", 2))

    def test_the_same_rows_are_never_counted_twice(self):
        self._run(1, 0)
        chunk = self.job.chunk_ids[0]
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
        ):
            chunk.sudo().copy({"import_id": self.job.id, "row": chunk.row})

    def test_finished_file_is_not_loaded_again(self):
        self._run()
        for action in (self.job.action_load, self.job.action_check, self.job._load_now):
            with self.assertRaises(UserError):
                action()
        self._run()
        self.assertEqual(self._count(), 9)

    def test_user_who_lost_the_right_cannot_continue_loading(self):
        self.administrator.group_ids -= self.env.ref(
            "spar_fa_directory.group_administrator"
        )
        with mute_logger(spar_table_import.__name__):
            self._run()
        self.assertEqual((self.job.state, self._count()), ("failed", 0))

    def test_the_page_shows_what_came_of_it(self):
        self._run()
        with Form(self.job) as form:
            self.assertEqual(form.added_count, 9)
            with self.assertRaises(AssertionError):
                form.encoding = "cp1252"

    def test_the_file_is_read_from_the_disk(self):
        with self.job._open_file() as stream:
            self.assertTrue(stream.name)
            records = list(read_records(stream, CsvFormat("utf-8", ","), width=4))
        self.assertEqual(len(records), 10)
