import base64

from odoo.exceptions import AccessError

from .common import ROLES, DirectoryCase

FILE = base64.b64encode(b"provider,name,code\nTESTBANK,East,TB-E\n")


class TestImportRights(DirectoryCase):
    """Files, their rows and refused rows are for administrators alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = cls.env["spar.directory.import"].create(
            {"file": FILE, "filename": "x.csv"}
        )
        cls.others = [cls._create_user(role) for role in set(ROLES) - {"administrator"}]
        cls.others.append(cls._create_user(login="nobody"))

    def _assert_refused_to_others(self, act):
        for user in self.others:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                act(self.job.with_user(user))

    def test_reading(self):
        self._assert_refused_to_others(lambda job: job.read(["file"]))
        self._assert_refused_to_others(lambda job: job.search([]))
        self._assert_refused_to_others(lambda job: job._open_file())

    def test_loading_stopping_and_deleting(self):
        self._assert_refused_to_others(lambda job: job.action_load())
        self._assert_refused_to_others(lambda job: job.action_stop())
        self._assert_refused_to_others(lambda job: job._load_now())
        self._assert_refused_to_others(lambda job: job.unlink())
        self.assertEqual(self.job.state, "draft")

    def test_records_of_a_file(self):
        self.job._load_now()
        for name in ("column", "chunk", "refusal"):
            records = self.env[f"spar.directory.import.{name}"].search([])
            for user in self.others:
                with self.subTest(name=name, user=user.login):
                    with self.assertRaises(AccessError):
                        records.with_user(user).search([])

    def test_the_file_as_an_attachment(self):
        attachment = self.job._get_attachment()
        self.assertTrue(attachment)
        for user in self.others:
            with self.subTest(user=user.login):
                found = (
                    self.env["ir.attachment"]
                    .with_user(user)
                    .search([("id", "=", attachment.id), ("res_field", "=", "file")])
                )
                self.assertFalse(found)
                with self.assertRaises(AccessError):
                    attachment.with_user(user).read(["datas"])

    def test_loaded_rows_cannot_be_rewritten(self):
        self.job._load_now()
        administrator = self._create_user("administrator")
        with self.assertRaises(AccessError):
            self.job.chunk_ids.with_user(administrator).write({"added": 9})

    def test_the_administrator_may(self):
        administrator = self._create_user("administrator")
        self.job.with_user(administrator)._load_now()
        self.assertEqual((self.job.state, self.job.added_count), ("done", 1))
        self.assertEqual(self.job.user_id, administrator)
