"""What only code writes, no person writes: on every model, whichever way."""

import base64
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.models import MAGIC_COLUMNS
from odoo.service.model import call_kw
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

ROLES = (
    "spar_fa_directory.group_viewer",
    "spar_fa_directory.group_officer",
    "spar_fa_directory.group_supervisor",
    "spar_fa_directory.group_auditor",
    "spar_fa_directory.group_administrator",
    "spar_registry.group_programme_viewer",
    "spar_registry.group_programme_user",
    "spar_registry.group_programme_manager",
)
FORGED = {
    "char": "forged",
    "text": "forged",
    "integer": 987654,
    "float": 98765.5,
    "json": {"forged": 1},
    "date": "2001-02-03",
    "datetime": "2001-02-03 04:05:06",
    "one2many": [Command.create({})],
    "many2one_reference": 987654,
}
FILE = base64.b64encode(b"code,name,closing date\nHARBOUR,Harbour Bank,(none)\n")


def list_code_fields(model) -> list:
    """Return the stored fields of a model that nobody edits on a screen."""
    return [
        field
        for field in model._fields.values()
        if field.store and field.readonly and field.name not in MAGIC_COLUMNS
    ]


@tagged("post_install", "-at_install")
class TestCodeFieldsOfAllModels(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = [g for g in ROLES if cls.env.ref(g, raise_if_not_found=False)]
        # Everything that any role may do, at once.
        cls.everybody = new_test_user(
            cls.env, "test_code_fields", groups=",".join(["base.group_user", *groups])
        )

    def list_models(self):
        for name in sorted(self.env.registry):
            model = self.env[name].with_user(self.everybody)
            if name.startswith("spar.") and not model._abstract:
                yield model

    def forge(self, model, field):
        """Return a value for a field that is not its default."""
        if field.type == "boolean":
            return not model.sudo().default_get([field.name]).get(field.name)
        if field.type == "selection":
            usual = model.sudo().default_get([field.name]).get(field.name)
            keys = [key for key in field.get_values(self.env) if key != usual]
            return keys[-1] if keys else None
        if field.type in ("many2one", "many2many"):
            found = self.env[field.comodel_name].search([], limit=1, order="id desc")
            if not found:
                return None
            return found.id if field.type == "many2one" else [Command.set(found.ids)]
        return FORGED.get(field.type)

    def attempt(self, model, method, *args, context=None):
        """Return the row that a call of a person wrote; None if it was refused."""
        kwargs = {"context": context or {}}
        with mute_logger("odoo.sql_db"):
            try:
                with self.env.cr.savepoint():
                    result = call_kw(model, method, list(args), kwargs)
                    self.env.flush_all()
                    ids = result if isinstance(result, list) else args[0]
                    return model.sudo().browse(ids)
            except Exception:
                self.env.invalidate_all()
                return None

    def is_taken(self, written, field, value) -> bool:
        if not written:
            return False
        stored = written[field.name]
        if field.type in ("one2many", "many2many"):
            return bool(stored)
        return stored == field.convert_to_record(
            field.convert_to_cache(value, written), written
        )

    def test_no_person_creates_a_record_with_them(self):
        taken = []
        for model in self.list_models():
            if not model.has_access("create"):
                continue
            for field in list_code_fields(model):
                value = self.forge(model, field)
                if value is None or field.name in getattr(model, "_spar_given", ()):
                    continue
                if model._transient and field.type == "many2one":
                    continue
                written = self.attempt(model, "create", [{field.name: value}])
                if self.is_taken(written, field, value):
                    taken.append(f"{model._name}.{field.name}")
        self.assertFalse(taken)

    def test_no_person_writes_them(self):
        taken, tried = [], 0
        for model in self.list_models():
            record = model.sudo().search([], limit=1).with_user(self.everybody)
            if not record or not record.has_access("write"):
                continue
            for field in list_code_fields(model):
                value = self.forge(model, field)
                if value is None or self.is_taken(record.sudo(), field, value):
                    continue
                tried += 1
                for method in ("write", "web_save"):
                    args = [record.ids, {field.name: value}]
                    args += [{}] if method == "web_save" else []
                    self.attempt(model, method, *args)
                    if self.is_taken(record.sudo(), field, value):
                        taken.append(f"{model._name}.{field.name} by {method}")
        self.assertFalse(taken)
        self.assertGreater(tried, 0)


@tagged("post_install", "-at_install")
class TestCodeFieldsOfFile(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada, cls.ben = (
            new_test_user(cls.env, login, groups=f"base.group_user,{ROLES[4]}")
            for login in ("test_code_ada", "test_code_ben")
        )
        cls.files = cls.env["spar.directory.import"].with_user(cls.ada)
        cls.file = cls.files.create(
            {"kind": "provider", "filename": "p.csv", "file": FILE}
        )

    def test_who_loads_a_file_is_who_pressed_the_button(self):
        for user in (self.env.ref("base.user_root"), self.ben):
            with self.assertRaises(AccessError):
                self.file.write({"user_id": user.id, "state": "waiting"})
            with self.assertRaises(AccessError):
                self.file.user_id = user
        with self.assertRaises(AccessError):
            self.files.create({"file": FILE, "user_id": self.ben.id})
        self.file.action_load()
        self.assertEqual(self.file.user_id, self.ada)

    def test_a_default_in_the_context_sets_nothing(self):
        forged = self.files.with_context(
            default_user_id=self.ben.id, default_state="waiting"
        ).create({"filename": "q.csv", "file": FILE})
        self.assertEqual((forged.user_id.id, forged.state), (False, "draft"))

    def test_what_is_in_a_context_of_a_call_is_no_mark(self):
        for mark in (True, ["spar.directory.import"], ("spar.directory.import",)):
            forged = self.file.with_context(spar_by_code=mark)
            with self.assertRaises(AccessError):
                forged.write({"state": "waiting"})

    def test_a_copy_does_not_take_them_along(self):
        provider = self.env["spar.fsp"].create(
            {"name": "Copied", "code": "COPIED", "registry_key": "x"}
        )
        ours = {f.name for f in list_code_fields(provider)}
        data = provider.with_user(self.ada).copy_data()[0]
        self.assertFalse(ours & data.keys())

    def test_they_are_not_written_through_another_record(self):
        """A person writes a refusal through the file that has it."""
        refusal = Command.create({"row": 7, "problem": "forged"})
        with self.assertRaises(AccessError):
            self.file.write({"refusal_ids": [refusal]})

    def test_a_file_that_only_a_row_says_the_superuser_started_is_not_loaded(self):
        self.file.flush_recordset()
        self.env.cr.execute(
            "UPDATE spar_directory_import SET user_id = 1, state = 'waiting' "
            "WHERE id = %s",
            [self.file.id],
        )
        self.file.invalidate_recordset()
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", lambda *args, **words: 1):
            self.env["spar.directory.import"]._cron_load()
        self.assertEqual(self.file.state, "stopped")
        self.assertFalse(self.env["spar.fsp"].search([("code", "=", "HARBOUR")]))

    def test_the_refusal_names_the_field(self):
        with self.assertRaisesRegex(UserError, "Loaded by"):
            self.file.write({"user_id": self.ben.id})
