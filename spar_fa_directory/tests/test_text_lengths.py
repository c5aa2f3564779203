"""How long a text may be that a person gives to a model of ours."""

from odoo.exceptions import UserError
from odoo.service.model import call_kw
from odoo.tests import TransactionCase, new_test_user, tagged

from .test_code_fields import ROLES

LONG = "x" * 2_000_000


@tagged("post_install", "-at_install")
class TestTextLengths(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = [g for g in ROLES if cls.env.ref(g, raise_if_not_found=False)]
        cls.everybody = new_test_user(
            cls.env, "test_lengths", groups=",".join(["base.group_user", *groups])
        )

    def refused(self):
        return self.assertRaisesRegex(UserError, "at most [0-9]+ characters")

    def list_texts(self):
        """Yield each text of each model in which a person may create a record."""
        for name in sorted(self.env.registry):
            model = self.env[name].with_user(self.everybody)
            if not name.startswith("spar.") or model._abstract:
                continue
            if model.has_access("create"):
                for field in model._fields.values():
                    if field.type in ("char", "text", "html"):
                        yield model, field

    def test_every_text_that_a_person_may_give_is_limited(self):
        count = 0
        for model, field in self.list_texts():
            count += 1
            if field.compute and not field.inverse:
                continue
            with self.subTest(f"{model._name}.{field.name}"), self.refused():
                model._check_lengths({field.name: LONG})
        self.assertGreater(count, 20)

    def test_a_long_text_is_refused_whichever_way_it_comes(self):
        providers = self.env["spar.fsp"].with_user(self.everybody)
        values = {"name": LONG, "code": "LONG"}
        with self.refused():
            call_kw(providers, "create", [[values]], {})
        with self.refused():
            call_kw(providers, "web_save", [[], values, {}], {})
        with self.refused():
            providers.onchange(values, ["name"], {"name": {}})
        with self.refused():
            providers.with_context(default_name=LONG).create({"code": "LONG"})
        with self.refused():
            providers.with_context(default_name=LONG).default_get(["name"])
        provider = providers.create({"name": "Short", "code": "SHORT"})
        with self.refused():
            provider.write({"name": LONG})
        with self.refused():
            provider.write({"branch_ids": [(0, 0, {"name": LONG, "code": "L"})]})

    def test_the_usual_is_not_refused(self):
        provider = (
            self.env["spar.fsp"]
            .with_user(self.everybody)
            .create({"name": "A bank with a long name " * 8, "code": "LONG"})
        )
        self.assertTrue(provider.exists())
