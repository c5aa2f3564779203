from odoo.exceptions import UserError

from .test_second_person import SecondPersonCase


class TestBackend(SecondPersonCase):
    """Two people decide which mapper is called."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["spar.mapper.backend"].search([("is_default", "=", True)]).write(
            {"is_default": False}
        )
        cls.env.flush_all()
        cls.default = cls.backend.copy({"name": "Default", "is_default": True})

    def test_another_default_waits_and_then_takes_the_place_of_the_first(self):
        change = self.propose(self.backend, is_default=True)
        self.assertTrue(self.default.is_default)
        change.with_user(self.second).action_approve()
        self.assertTrue(self.backend.is_default)
        self.assertFalse(self.default.is_default)

    def test_a_new_backend_is_not_the_default_before_a_second_person(self):
        made = (
            self.env["spar.mapper.backend"]
            .with_user(self.first)
            .create(
                {
                    "name": "New",
                    "implementation": self.get_implementation(),
                    "is_default": True,
                }
            )
        )
        self.assertFalse(made.is_default)
        self.assertEqual(made.setting_change_ids.state, "waiting")

    def test_an_unused_backend_is_changed_by_one_person(self):
        self.backend.with_user(self.first).write({"active": False})
        self.assertFalse(self.backend.active)

    def test_a_backend_in_use_is_changed_by_two_people(self):
        self.assertTrue(self.propose(self.default, active=False))
        self.assertTrue(self.default.active)
        self.id_type.backend_id = self.backend
        self.assertTrue(self.propose(self.backend, active=False))
        self.assertTrue(self.backend.active)

    def test_a_backend_in_use_is_not_deleted(self):
        for user in (self.first, self.second):
            with self.assertRaises(UserError):
                self.default.with_user(user).unlink()
        self.backend.with_user(self.first).unlink()
        self.assertFalse(self.backend.exists())

    def test_its_name_is_changed_by_one_person(self):
        self.assertFalse(self.propose(self.default, name="Renamed"))
        self.assertEqual(self.default.name, "Renamed")
