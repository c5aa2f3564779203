import io
from base64 import b64encode
from unittest.mock import patch

from openpyxl import Workbook

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form
from odoo.tools import SQL, mute_logger

from odoo.addons.spar_fa_directory.models.table_import import spar_table_import

from .common import FA, NUMBER, OTHER_FA, OTHER_NUMBER, RegistryCase

IMPORT_LOGGER = "odoo.addons.spar_registry.models.sealed_import.spar_sealed_import"
THIRD_NUMBER, FOURTH_NUMBER = "2007816061", "2007816079"
OPENG2P = "National ID,Account number,Name,Phone\n"


class AccountFileCase(RegistryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.imports = cls.env["spar.account.import"].with_user(cls.user)

    def upload(self, content, filename="accounts.csv", **values):
        """Return a file that the programme's user has uploaded."""
        data = content.encode() if isinstance(content, str) else content
        branch = self.bank.branch_ids[:1]
        values = {
            "programme_id": self.programme.id,
            "provider_id": self.bank.id,
            "branch_id": branch.id,
            **values,
        }
        return self.imports.create(
            {"file": b64encode(data), "filename": filename, **values}
        )

    def work(self) -> None:
        """Process the waiting files, as the scheduled job does."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.account.import"]._cron_load()
        self.env.invalidate_all()

    def load(self, job, trial=False):
        """Load a file, or only check it."""
        job.action_try() if trial else job.action_load()
        self.work()
        return job

    def get_refused(self, job) -> list[list[str]]:
        text = "".join(job._iter_refused()).removeprefix("\ufeff")
        return [line.split(",") for line in text.splitlines()]

    def get_counts(self, job) -> tuple[int, ...]:
        """Return how many rows were read, accepted, unchanged and refused."""
        return (
            job.row_count,
            job.accepted_count,
            job.unchanged_count,
            job.refused_count,
        )

    def get_accounts(self, person):
        return self.accounts.search([("partner_id", "=", person.id)])


class TestNewFile(AccountFileCase):
    def test_the_button_new_opens_an_empty_form(self):
        with Form(self.imports) as form:
            form.programme_id = self.programme
            self.assertEqual(form.progress, 0)
            form.file = b64encode(b"National ID,Account number\n1,2\n").decode()


class TestAccountImport(AccountFileCase):
    def test_openg2p_headers_are_recognised_and_accounts_are_sent(self):
        job = self.upload(OPENG2P + f"{NUMBER},1111 0000 1111,Ada,1\n")
        names = job.column_ids.mapped("name")
        self.assertEqual(names, ["id", "account", "name", "phone"])
        self.load(job)
        self.assertEqual((job.state, self.get_counts(job)), ("done", (1, 1, 0, 0)))
        account = self.get_accounts(self.ada)
        self.assertEqual((account.origin, account.state), ("file", "queued"))
        self.assertEqual(account.collected_by, self.user)
        self.assertEqual(account.payee_id, self.ada)
        self.run_outbox()
        self.assertEqual(self.store.get_fa(f"token:{NUMBER}@nationalid"), FA)
        self.assertEqual(account.state, "confirmed")

    def test_file_that_names_no_provider_is_refused_with_what_to_do(self):
        row = f"{NUMBER},111100001111,Ada,1\n"
        job = self.load(self.upload(OPENG2P + row, provider_id=False, branch_id=False))
        reason = "Provider: the file does not name one. Choose the provider"
        self.assertIn(reason, "".join(job._iter_refused()))
        with_bank = OPENG2P.replace("Phone", "Bank") + row.replace(",1\n", ",NONE\n")
        job = self.load(self.upload(with_bank, provider_id=False, branch_id=False))
        reason = "Provider: the directory has no provider with this code or name."
        self.assertIn(reason, "".join(job._iter_refused()))

    def test_check_stores_nothing(self):
        job = self.upload(
            OPENG2P
            + f"{NUMBER},111100001111,Ada,1\n{THIRD_NUMBER},333300003333,Eve,1\n",
            on_unknown="create",
        )
        people = self.env["res.partner"].search_count([])
        self.load(job, trial=True)
        self.assertEqual(job.state, "checked")
        self.assertEqual(self.get_counts(job), (2, 2, 0, 0))
        self.assertFalse(self.accounts.search([]))
        self.assertFalse(self.entries.search([]))
        self.assertEqual(self.env["res.partner"].search_count([]), people)
        self.load(job)
        self.assertEqual(self.get_counts(job), (2, 2, 0, 0))
        self.assertEqual(job.created_count, 1)
        self.assertEqual(len(self.accounts.search([])), 2)

    def test_same_file_again_changes_nothing(self):
        text = OPENG2P + f"{NUMBER},111100001111,Ada,1\n{OTHER_NUMBER},222200002222,,\n"
        job = self.load(self.upload(text))
        self.assertEqual(self.get_counts(job), (2, 2, 0, 0))
        again = self.load(self.upload(text))
        self.run_outbox()
        after = self.load(self.upload(text))
        for other in (again, after):
            self.assertEqual(self.get_counts(other), (2, 0, 2, 0))
        self.assertEqual(len(self.accounts.search([])), 2)
        self.assertEqual(len(self.entries.search([])), 2)

    def test_changed_account_is_collected_again(self):
        self.load(self.upload(OPENG2P + f"{NUMBER},111100001111,,\n"))
        self.run_outbox()
        self.load(self.upload(OPENG2P + f"{NUMBER},222200002222,,\n"))
        self.run_outbox()
        fa = self.store.get_fa(f"token:{NUMBER}@nationalid")
        self.assertEqual(fa, "account:222200002222@BR01.TESTBANK")

    def test_refused_rows_are_corrected_and_loaded_again(self):
        job = self.upload(
            OPENG2P
            + f"{NUMBER},111100001111,Ada,1\n"
            + f"{THIRD_NUMBER},111100001111,Nobody,\n"
            + f"{OTHER_NUMBER},=1+1,Grace,\n"
            + f"{NUMBER},111100001111,Again,\n"
            + ",111100001111,Empty,\n"
        )
        self.load(job)
        self.assertEqual(self.get_counts(job), (5, 1, 0, 4))
        header, *rows = self.get_refused(job)
        self.assertEqual(
            header, ["National ID", "Account number", "Name", "Phone", "reason"]
        )
        self.assertEqual(rows[0][:3], [THIRD_NUMBER, "111100001111", "Nobody"])
        self.assertIn("nobody in Contacts", rows[0][4])
        self.assertIn("formula", rows[1][4])
        self.assertEqual(rows[1][1], "'=1+1")
        self.assertIn("Row 2", rows[2][4])
        self.assertIn("empty", rows[3][4])
        text = "".join(job._iter_refused()).replace("'=1+1", "222200002222")
        again = self.load(self.upload(text))
        self.assertEqual(self.get_counts(again), (4, 1, 1, 2))

    def test_row_after_a_refused_one_with_the_same_id_is_accepted(self):
        job = self.upload(OPENG2P + f"{NUMBER},x,,\n{NUMBER},111100001111,,\n")
        self.load(job)
        self.assertEqual(self.get_counts(job), (2, 1, 0, 1))

    def test_ids_are_compared_in_their_canonical_form(self):
        job = self.upload(
            OPENG2P
            + f"token:{NUMBER}@NationalId,111100001111,,\n{NUMBER},222200002222,,\n"
        )
        self.load(job)
        self.assertEqual(self.get_counts(job), (2, 1, 0, 1))

    def test_people_are_added(self):
        job = self.upload(
            OPENG2P + f"{THIRD_NUMBER},111100001111,Eve,0917\n{FOURTH_NUMBER},1111,,\n",
            on_unknown="create",
        )
        self.load(job)
        self.assertEqual(self.get_counts(job), (2, 1, 0, 1))
        self.assertEqual(job.created_count, 1)
        eve = self.env["res.partner"].search([("name", "=", "Eve")])
        self.assertEqual(eve.phone, "0917")
        self.run_outbox()
        self.assertEqual(self.store.get_fa(f"token:{THIRD_NUMBER}@nationalid"), FA)

    def test_pfms_workbook(self):
        headers = "Full Name|Gender|Address|District|State|Country|Bank Name"
        headers = [*headers.split("|"), "Beneficiary ID", "IFSC", "Account", "PIN"]
        book = Workbook()
        book.active.append(["List of beneficiaries"])
        book.active.append(headers)
        row = ["Ada", "F", "1 Main St", "Pune", "MH", "India", "Test Bank", NUMBER]
        book.active.append([*row, "BR02", "222200002222", "411001"])
        row = ["Eve", "F", "2 Main St", "Pune", "MH", "India", "Misspelt", THIRD_NUMBER]
        book.active.append([*row, "BR01", "111100001111", "411001"])
        output = io.BytesIO()
        book.save(output)
        job = self.upload(
            output.getvalue(),
            "pfms.xlsx",
            provider_id=False,
            branch_id=False,
            on_unknown="create",
        )
        self.assertEqual(job.header_row, 2)
        self.load(job)
        self.assertEqual(self.get_counts(job), (2, 2, 0, 0))
        self.run_outbox()
        self.assertEqual(self.store.get_fa(f"token:{NUMBER}@nationalid"), OTHER_FA)
        eve = self.env["res.partner"].search([("name", "=", "Eve")])
        self.assertEqual(
            (eve.city, eve.zip, eve.country_id.code), ("Pune", "411001", "IN")
        )

    def test_pipes_and_mifos_headers(self):
        job = self.upload(
            "payee_identifier_type|payee_identifier|account_number\n"
            f"National ID|{NUMBER}|111100001111\nPassport|{OTHER_NUMBER}|1\n",
            "mifos.txt",
        )
        self.assertEqual(job.delimiter, "|")
        self.load(job)
        self.assertEqual(self.get_counts(job), (2, 1, 0, 1), job.reasons)
        self.assertIn("no ID type", job.reasons)

    def test_mapping_by_hand_is_remembered(self):
        text = f"Wer,Wohin\n{NUMBER},111100001111\n"
        job = self.upload(text)
        with self.assertRaisesRegex(UserError, "No column of the file"):
            job.action_load()
        job.column_ids[0].name, job.column_ids[1].name = "id", "account"
        job.action_confirm()
        self.load(job)
        self.assertEqual(self.get_counts(job), (1, 1, 0, 0))
        other = self.upload(f"Wer,Wohin\n{OTHER_NUMBER},222200002222\n")
        self.assertEqual(other.column_ids.mapped("name"), ["id", "account"])
        self.assertFalse(other.question)

    def test_no_default_and_no_automation_says_who_is_paid_for_new_people(self):
        people = self.env["res.partner"]
        head = people.create({"name": "Head of another household"})
        for field, value in (
            ("parent_id", head.id),
            ("spar_head_id", head.id),
            ("spar_died_on", "2020-01-01"),
            ("active", False),
        ):
            by_default = people.with_context(**{f"default_{field}": value})
            with self.subTest(field):
                added = by_default._spar_add_people([{"name": "By file"}])
                self.assertEqual(bool(added[field]), field == "active")
        kind = self.registry["res.partner"]
        create = kind.create

        def put_under_the_head(partners, vals_list):
            created = create(partners, vals_list)
            created.parent_id = head
            return created

        row = f"{THIRD_NUMBER},111100001111,Eve,0917\n"
        job = self.upload(OPENG2P + row, on_unknown="create")
        with patch.object(kind, "create", put_under_the_head):
            self.load(job)
        self.assertEqual(job.state, "stopped")
        self.assertIn("under another contact", job.problem)
        self.assertFalse(people.search([("name", "=", "Eve")]))
        self.assertFalse(self.accounts.search([]))

    def test_full_address_and_time_of_collection(self):
        job = self.upload(
            "National ID,Financial address,Collected at\n"
            f"{NUMBER},{OTHER_FA},2026-01-31\n{OTHER_NUMBER},{FA},31.1.26\n"
        )
        self.load(job)
        self.assertEqual(self.get_counts(job), (2, 1, 0, 1))
        self.assertEqual(
            str(self.get_accounts(self.ada).collected_at.date()), "2026-01-31"
        )

    def test_people_whom_the_user_does_not_see_are_refused(self):
        rule = {
            "name": "Test: hidden",
            "model_id": self.env.ref("base.model_res_partner").id,
            "domain_force": f"[('id', '!=', {self.ada.id})]",
            "groups": [(4, self.env.ref("spar_registry.group_programme_user").id)],
        }
        self.env["ir.rule"].create(rule)
        job = self.upload(OPENG2P + f"{NUMBER},111100001111,,\n", on_unknown="create")
        self.load(job)
        self.assertEqual(self.get_counts(job), (1, 0, 0, 1))
        self.assertIn("do not have access", job.reasons)
        self.assertFalse(self.get_accounts(self.ada))

    def test_rows_that_cannot_be_sent_are_refused(self):
        self.programme.needs_consent = True
        job = self.upload(
            OPENG2P + f"{NUMBER},111100001111,,\n{THIRD_NUMBER},111100001111,Eve,\n",
            on_unknown="create",
        )
        self.load(job)
        self.assertEqual(self.get_counts(job), (2, 0, 0, 2))
        self.assertIn("consent", job.reasons)

    def test_account_that_is_the_id_is_refused(self):
        job = self.load(self.upload(OPENG2P + f"{NUMBER},{NUMBER},,\n"))
        self.assertIn("ID card", job.reasons)

    def test_uploads_are_sealed_and_destroyed(self):
        job = self.upload(OPENG2P + f"{NUMBER},111100001111,,\n{THIRD_NUMBER},11,,\n")
        self.assertIn(NUMBER, job.preview)
        self.assertIn(NUMBER, job.column_ids[0].sample)
        self.assert_nothing_clear(NUMBER, "111100001111", THIRD_NUMBER)
        self.load(job)
        self.assert_nothing_clear(NUMBER, "111100001111", THIRD_NUMBER)
        pieces = self.env["spar.sealed.import.piece"].sudo()
        self.assertFalse(pieces._search_of(job))
        self.assertFalse(job.preview)
        self.assertEqual(len(self.get_refused(job)), 2)
        job.action_destroy_refused()
        chunks = self.env["spar.sealed.import.chunk"].sudo()
        self.assertFalse(chunks.search([])._get_sealed_ids())

    def assert_nothing_clear(self, *texts):
        """Assert that no table of this addon's files contains a text, in any form."""
        self.env.flush_all()
        tables = [
            name
            for (name,) in self.env.execute_query(
                SQL(
                    "SELECT tablename FROM pg_tables"
                    " WHERE tablename ~ 'spar_(sealed|account|payment)'"
                )
            )
        ]
        self.assertIn("spar_sealed_import_piece", tables)
        for table in tables:
            rows = self.env.execute_query(
                SQL("SELECT t::text FROM %s t", SQL.identifier(table))
            )
            for (row,) in rows:
                for text in texts:
                    self.assertNotIn(text, row)
                    self.assertNotIn(text.encode().hex(), row)
                    self.assertNotIn(b64encode(text.encode())[:8].decode(), row)

    def test_only_who_uploaded_a_file_sees_its_rows(self):
        job = self.upload(OPENG2P + f"{NUMBER},111100001111,,\n,1,,\n")
        self.load(job)
        managed = job.with_user(self.manager)
        self.assertEqual(managed.refused_count, 1)
        self.assertFalse(managed.column_ids)
        self.assertFalse(managed.preview)
        for action in (managed.action_download_refused, managed.action_destroy_refused):
            with self.assertRaises(AccessError):
                action()
        with self.assertRaises(AccessError):
            list(managed._iter_refused())

    def test_loading_continues_after_a_kill(self):
        numbers = [NUMBER, OTHER_NUMBER, THIRD_NUMBER, FOURTH_NUMBER]
        text = OPENG2P + "".join(f"{n},111100001111,Name {n},\n" for n in numbers)
        job = self.upload(text, on_unknown="create")
        job.action_load()
        loader = self.env.registry["spar.account.loader"]
        before = loader._load_rows
        calls = []

        def stop_at_third(self_, *arguments):
            calls.append(1)
            if len(calls) == 3:
                raise MemoryError
            return before(self_, *arguments)

        self.startPatcher(patch.object(spar_table_import, "CHUNK_ROWS", 1))
        with (
            patch.object(loader, "_load_rows", stop_at_third),
            mute_logger(IMPORT_LOGGER),
        ):
            self.work()
        self.assertEqual((job.state, job.accepted_count), ("failed", 2))
        self.load(job)
        self.assertEqual(self.get_counts(job), (4, 4, 0, 0))
        self.assertEqual(len(self.accounts.search([])), 4)

    def test_same_payee_twice_in_a_chunk_is_sent_in_order(self):
        household = self.create_person("Household", THIRD_NUMBER, is_company=True)
        (self.ada | self.grace).write({"parent_id": household.id})
        self.programme.payee_rule = "household"
        self.load(
            self.upload(
                OPENG2P + f"{NUMBER},111100001111,,\n{OTHER_NUMBER},222200002222,,\n"
            )
        )
        entries = self.entries.search([], order="id")
        self.assertEqual(entries.mapped("state"), ["superseded", "waiting"])
        self.assertEqual(entries.partner_id, self.ada | self.grace)
