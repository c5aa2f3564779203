import base64
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form
from odoo.tools import mute_logger

from ..models.table_import import spar_table_import
from .test_cell_rules import NAMES, SPOILT
from .test_spar_directory_import import ImportCase
from .test_xlsx_file import build

HEADER = "Bank,Branch Code,Branch,City\n"


class TestFilesThatPeopleHave(ImportCase):
    def _assert_loaded(self, data, *codes, **values):
        job = self._load(data, **values)
        self.assertEqual(self._get_refusals(job), [])
        branches = self.branches.search([("import_id", "=", job.id)], order="id")
        self.assertEqual(branches.mapped("code"), list(codes))
        branches.unlink()
        return job

    def test_codes_that_a_program_protected(self):
        self._assert_loaded(
            HEADER
            + 'TESTBANK,"=""00123""",East,Marn\nTESTBANK,="0055",Nord,Marn\n'
            + "TESTBANK,'0044,West,Sella\nTESTBANK,\u200b0066\u200e,South,\n",
            "00123",
            "0055",
            "0044",
            "0066",
        )

    def test_headers_wherever_they_stand(self):
        rows = "TESTBANK,0012,East,Marn\n"
        for above in ("\n", "A title\n\n", ",,,\n", "sep=,\n", "sep=,\nA title,,,\n"):
            with self.subTest(above=above):
                job = self._assert_loaded(above + HEADER + rows, "0012")
                self.assertEqual(job.row_count, 1)

    def test_headers_as_programs_write_them(self):
        for header in (
            "bankCode,branchCode,branchName,cityName",
            "BANK_CODE,BRANCH_CODE,BRANCH_NAME,CITY",
            '"Bank\nCode","Branch\nCode","Branch\nName",City',
            "FSPCode,IFSC,Branch,Centre",
            "bank.id,branch.id,Name,TOWN",
        ):
            with self.subTest(header=header):
                data = f"{header}\nTESTBANK,0012,East,Marn\n"
                self._assert_loaded(data, "0012")
        job = self._upload("Bank Name,swiftCode,Bank ID\nX,,1\n", kind="provider")
        self.assertEqual(job.column_ids.mapped("name"), ["name", "bic", "code"])

    def test_a_workbook_is_loaded(self):
        def change(book):
            sheet = book.active
            sheet["B4"] = 55
            sheet["B4"].number_format = "0000"
            sheet.merge_cells("A3:A4")

        rows = [["Our list"], ["Bank", "Branch Code", "Branch"]]
        rows += [["TESTBANK", "0012", "East"], [None, None, "West"]]
        job = self._assert_loaded(build(rows, change=change), "0012", "0055")
        self.assertTrue(job.is_workbook)
        self.assertEqual((job.row_count, job.progress, job.header_row), (2, 100, 2))

    def test_a_provider_is_found_by_its_bic(self):
        for text in ("TESTDEFFXXX", "TESTDEFF", "TEST DE FF", "testdeffxxx"):
            with self.subTest(text=text):
                self._assert_loaded(f"{HEADER}{text},0012,East,\n", "0012")

    def test_a_bic_is_written_with_blanks(self):
        self._load("code,name,bic\nX1,Bank X,TABU EE 22\n", kind="provider")
        provider = self.env["spar.fsp"].search([("code", "=", "X1")])
        self.assertEqual(provider.bic, "TABUEE22")

    def test_the_banks_of_every_country_have_good_names(self):
        load = self.env["spar.fsp"]._load_banks("SI")
        self.assertTrue(load.added)
        self.assertTrue(self.env["spar.fsp"].search([("name", "ilike", "ŠKOFJA")]))


class TestQuestions(ImportCase):
    """Unclear points are asked with the first rows in view; none is a dead end."""

    def _assert_asked(self, job, text):
        self.assertRegex(job.question, text)
        self._assert_refused(text, job.action_load, exception=UserError)
        self.assertEqual(job.state, "draft")

    def test_mac_roman_is_asked_and_chosen(self):
        data = (HEADER + "TESTBANK,1,Île,Orléans\nTESTBANK,2,Pré,Besançon\n").encode(
            "mac-roman"
        )
        job = self._upload(data)
        self._assert_asked(job, "several ways")
        self.assertIn("Orléans", job.preview)
        reading = job.reading_ids.filtered(lambda r: r.encoding == "mac-roman")
        self.assertIn("Besançon", reading.sample)
        self.assertGreater(len(job.reading_ids), 1)
        reading.action_choose()
        self.assertFalse(job.question)
        job._load_now()
        branch = self.branches.search([("import_id", "=", job.id)], order="id")[0]
        self.assertEqual((branch.name, branch.city), ("Île", "Orléans"))

    def test_wrong_encoding_is_visible_in_the_preview(self):
        job = self._upload((HEADER + "TESTBANK,1,Île,Orléans\n").encode("mac-roman"))
        job.encoding = "cp1252"
        self.assertNotIn("Orléans", job.preview)
        job.encoding = "mac-roman"
        self.assertIn("Orléans", job.preview)

    def test_a_choice_stays_when_another_is_made(self):
        job = self._upload((HEADER + "TESTBANK,1,Île,Orléans\n").encode("mac-roman"))
        job.encoding = "mac-roman"
        job.delimiter = ";"
        self.assertEqual((job.encoding, job.delimiter), ("mac-roman", ";"))
        job.delimiter = ","
        job.column_ids[3].name = "ignored"
        job.header_row = 1
        self.assertEqual((job.encoding, job.header_row), ("mac-roman", 1))

    def test_no_header_is_asked_and_loaded_whole(self):
        job = self._upload("TESTBANK,001,East\nTESTBANK,002,West\n")
        self.assertTrue(job.no_header)
        self._assert_refused("No column", job.action_load, exception=UserError)
        for column, name in zip(
            job.column_ids, ("provider", "code", "name"), strict=True
        ):
            column.name = name
        self._assert_asked(job, "which row contains the headers")
        job.action_confirm()
        job._load_now()
        self.assertEqual((job.added_count, job.row_count), (2, 2))

    def test_refused_rows_of_a_file_without_headers_come_back_with_headers(self):
        job = self._upload("TESTBANK,0 1,East\nTESTBANK,002,West\n", no_header=True)
        for column, name in zip(
            job.column_ids, ("provider", "code", "name"), strict=True
        ):
            column.name = name
        job._load_now()
        back = base64.b64decode(job.refused_file).replace(b"0 1", b"001")
        again = self._load(back)
        self.assertEqual((again.added_count, again.refused_count), (1, 0))

    def test_a_header_is_chosen(self):
        job = self._upload("Haus,Nummer,Ort\nTESTBANK,a,East\nTESTBANK,b,West\n")
        self._assert_refused("No column", job.action_load, exception=UserError)
        job.no_header = True
        self.assertEqual(job.column_ids.mapped("header"), ["#1", "#2", "#3"])
        job.header_row = 2
        self.assertFalse(job.no_header)
        self.assertEqual(job.column_ids.mapped("header"), ["TESTBANK", "a", "East"])
        self.assertIn("table-info", job.preview)

    def test_a_sheet_is_chosen(self):
        header = ["Bank", "Branch Code", "Branch"]
        job = self._upload(
            build(
                [header, ["TESTBANK", "1", "One"]], [header, ["TESTBANK", "2", "Two"]]
            )
        )
        self._assert_asked(job, "several sheets")
        job.sheet_id = job.sheet_ids[1]
        self.assertFalse(job.question)
        self.assertEqual(job.sheet_id.name, "Sheet 2")
        job._load_now()
        branch = self.branches.search([("import_id", "=", job.id)])
        self.assertEqual(branch.code, "2")

    def test_cells_that_are_the_same_as_above(self):
        rows = "TESTBANK,1,One,\n,2,Two,\n,3,Three,\nTESTWALLET,4,Four,\n,5 5,Five,\n"
        job = self._upload(HEADER + rows)
        self._assert_asked(job, "repeat the value above")
        job.column_ids[0].fill_down = True
        self.assertFalse(job.question)
        with patch.object(spar_table_import, "CHUNK_ROWS", 1):
            job._load_now()
        branches = self.branches.search([("import_id", "=", job.id)], order="code")
        self.assertEqual(
            branches.provider_id.mapped("code"), ["TestBank", "TESTWALLET"]
        )
        self.assertEqual(branches.mapped("code"), ["1", "2", "3", "4"])
        self.assertEqual(job.refusal_ids.mapped("text"), ["TESTWALLET,5 5,Five,"])

    def test_the_form_asks_nothing_of_a_plain_file(self):
        with Form(self.jobs) as form:
            form.file = base64.b64encode(f"{HEADER}TESTBANK,1,One,\n".encode())
        job = form.save()
        self.assertEqual((job.header_row, job.no_header, job.chosen), (1, False, ""))
        self.assertFalse(job.question)
        job.action_load()

    @mute_logger("odoo.tools.mimetypes.guess_mimetype")
    def test_files_that_are_not_tables_are_refused(self):
        for data, text in (
            (b"%PDF-1.7", "save it as"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "save it as"),
            (b"PK\x03\x04" + b"\0" * 40, "save it as"),
            (b"\xef\xbb\xbf", "empty"),
            (b"\xff\xfe\n\0", "empty"),
            (build([[]]), "empty"),
        ):
            with self.subTest(data=data[:8]):
                self._assert_refused(text, self._upload, data, exception=UserError)


class TestOneRule(ImportCase):
    """Files, forms and Odoo's importer refuse the same texts for the same reason."""

    def test_values_changed_by_programs_are_refused_everywhere(self):
        texts = self.env["spar.directory.loader"]._get_cell_texts()
        branches = self.branches.with_user(self.administrator)
        for text, problem in SPOILT.items():
            for place, name in enumerate(("code", "name")):
                values = {"name": "East", "code": "E1", name: text}
                with self.subTest(text=text, name=name):
                    job = self._upload("code,name\nX,X\n", provider_id=self.bank.id)
                    quoted = [f'"{values["code"]}"', f'"{values["name"]}"']
                    data = f"code,name\n{','.join(quoted)}\nKEPT,Kept\n"
                    job.file = base64.b64encode(data.encode())
                    job._load_now()
                    self.assertEqual(
                        self._get_refusals(job), [(2, name, texts[problem])]
                    )
                    self.branches.search([("code", "=", "KEPT")]).unlink()
                    values["provider_id"] = self.bank.id
                    self._assert_refused(texts[problem][:20], branches.create, [values])
                    row = ["East", "E1", "TestBank"]
                    row[1 - place] = text
                    answer = branches.load(["name", "code", "provider_id"], [row])
                    self.assertFalse(answer["ids"])
                    self.assertIn(texts[problem], answer["messages"][0]["message"])

    def test_a_provider_has_the_same_rule(self):
        for name in ("name", "code"):
            values = {"name": "Bank", "code": "B1", name: "#N/A"}
            with self.assertRaises(ValidationError):
                self.env["spar.fsp"].create(values)
            with self.assertRaises(ValidationError):
                self.bank[name] = "1001.0"

    def test_names_that_people_and_places_have_are_loaded(self):
        rows = "".join(f'TESTBANK,C{n},"{name}",\n' for n, name in enumerate(NAMES))
        job = self._load(HEADER + rows)
        self.assertEqual(self._get_refusals(job), [])

    def test_protection_of_a_text_is_removed_in_forms_too(self):
        with Form(self.branches) as form:
            form.provider_id = self.bank
            form.code = '="00123"'
            form.name = "  Ea\u200est "
            self.assertEqual((form.code, form.name), ("00123", "East"))
        branch = self.branches.create(
            {"provider_id": self.bank.id, "code": "'0044", "name": "A\u202e b"}
        )
        self.assertEqual((branch.code, branch.name), ("0044", "A b"))
        branch.write({"name": " X  Y "})
        self.assertEqual(branch.name, "X Y")


class TestUpdates(ImportCase):
    def test_empty_cell_changes_nothing_and_a_word_clears_the_value(self):
        for row, city in (
            ("TESTBANK,tb.n,,", "Marn"),
            ("TESTBANK,tb.n,,n/a", "Marn"),
            ("TESTBANK,tb.n,,Sella", "Sella"),
            ("TESTBANK,tb.n,,(None)", False),
        ):
            with self.subTest(row=row):
                job = self._load(HEADER + row + "\n", on_existing="update")
                self.assertEqual((job.updated_count, job.refused_count), (1, 0))
                self.assertEqual((self.north.name, self.north.city), ("North", city))

    def test_update_keeps_values_that_are_not_in_the_row(self):
        header = "code,name,kind,country,bic\n"
        self.bank.country_id = self.env.ref("base.ee")
        self._load(header + "testbank,,,,\n", kind="provider", on_existing="update")
        self.assertEqual(self.bank.name, "Test Bank")
        self.assertEqual(
            (self.bank.bic, self.bank.country_id.code), ("TESTDEFFXXX", "EE")
        )
        row = "testbank,,,(none),(none)\n"
        self._load(header + row, kind="provider", on_existing="update")
        self.assertEqual((self.bank.bic, self.bank.country_id.code), (False, False))

    def test_codes_and_towns_alone_update(self):
        data = "provider,code,city\nTESTBANK,tb.n,Sella\nTESTBANK,NEW1,Marn\n"
        job = self._load(data, on_existing="update")
        self.assertEqual(self.north.city, "Sella")
        self.assertEqual([r[:2] for r in self._get_refusals(job)], [(3, "")])
        job = self._upload(data)
        self._assert_refused("assigned to Name", job.action_load, exception=UserError)

    def test_placeholder_for_nothing_is_an_empty_town(self):
        self._load(HEADER + "TESTBANK,E1,East,NULL\nTESTBANK,E2,West,-\n")
        branches = self.branches.search([("code", "in", ["E1", "E2"])])
        self.assertEqual(branches.mapped("city"), [False, False])

    def test_namibia_is_a_country(self):
        self._load("code,name,country\nN1,Bank N,NA\n", kind="provider")
        provider = self.env["spar.fsp"].search([("code", "=", "N1")])
        self.assertEqual(provider.country_id.code, "NA")

    def test_repeated_headers_are_not_loaded(self):
        job = self._load(f"{HEADER}TESTBANK,E1,East,\n{HEADER}TESTBANK,E2,West,\n")
        self.assertEqual(job.added_count, 2)
        self.assertEqual([r[0] for r in self._get_refusals(job)], [3])


class TestBranchCodes(ImportCase):
    def test_two_writings_of_a_code_are_one_branch(self):
        self.bank.branch_code_form = "000000"
        data = HEADER + "TESTBANK,30100,East,\nTESTBANK,030100,East,\n"
        job = self._load(data)
        self.assertEqual(job.added_count, 1)
        self.assertIn("Row 2", job.refusal_ids.problem)
        branch = self.branches.search([("import_id", "=", job.id)])
        self.assertEqual(branch.code, "030100")

    def test_a_code_of_another_form_is_refused(self):
        self.bank.branch_code_form = "000000"
        job = self._load(HEADER + "TESTBANK,3010A,East,\nTESTBANK,1234567,West,\n")
        self.assertEqual(
            [r[:2] for r in self._get_refusals(job)],
            [(2, "Branch Code")] * 1 + [(3, "Branch Code")],
        )
        self.assertIn("000000", job.refusal_ids[0].problem)
        values = {"name": "East", "code": "3010A", "provider_id": self.bank.id}
        self._assert_refused("000000", self.branches.create, [values])

    def test_forms_and_files_write_one_form(self):
        self.bank.branch_code_form = "000000"
        values = {"name": "East", "provider_id": self.bank.id}
        branch = self.branches.create({**values, "code": "30100"})
        self.assertEqual(branch.code, "030100")
        branch.code = "77"
        self.assertEqual(branch.code, "000077")

    def test_existing_branches_take_the_form(self):
        values = {"name": "East", "provider_id": self.bank.id}
        branch = self.branches.create({**values, "code": "30100"})
        self.bank.branch_code_form = "000000"
        self.assertEqual(branch.code, "030100")
        self.assertEqual(self.north.code, "tb.n")

    def test_a_used_code_stays_and_is_found(self):
        values = {"name": "East", "provider_id": self.bank.id}
        branch = self.branches.create({**values, "code": "30100"})
        with patch.object(type(branch), "_is_used", lambda branches: branches & branch):
            self.bank.branch_code_form = "000000"
        self.assertEqual(branch.code, "30100")
        job = self._load(HEADER + "TESTBANK,030100,Renamed,\n", on_existing="update")
        self.assertEqual((job.updated_count, branch.name), (1, "Renamed"))
        values["code"] = "030100"
        text = "30100, which is equivalent"
        self._assert_refused(text, self.branches.create, [values])

    def test_successor_is_found_in_any_spelling(self):
        self.bank.branch_code_form = "000000"
        header = "provider,code,name,closed on,successor\n"
        job = self._load(
            f"{header}TESTBANK,30100,East,,\nTESTBANK,77,West,2026-01-01,030100\n"
            "TESTBANK,78,South,2026-01-01,30100\n"
        )
        self.assertEqual((job.added_count, job.refused_count), (3, 0))
        branches = self.branches.search([("import_id", "=", job.id)])
        east = branches.filtered(lambda branch: branch.code == "030100")
        self.assertEqual(branches.successor_id, east)
        self.assertEqual(len(branches.filtered("successor_id")), 2)

    def test_a_form_is_checked(self):
        with self.assertRaises(ValidationError):
            self.bank.branch_code_form = "0 0"
