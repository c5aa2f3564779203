from itertools import chain, combinations, product

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .common import FA, ID, StoreCase, type_address

TEXTS = ("fa_text", "id_value", "reason")
SUBSETS = [set(each) for each in chain(*(combinations(TEXTS, n) for n in range(1, 4)))]


@tagged("post_install", "-at_install")
class TestSealedDraft(StoreCase):
    """No text is lost, whether written together, one after another or repeatedly."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer = cls.create_user("officer")
        cls.env = cls.env(user=cls.officer)
        cls.wizards = cls.env["spar.mapping.wizard"]
        cls.bank_account = cls.env.ref("spar_fa_directory.type_bank_account")

    def create_draft(self, **texts):
        return self.wizards.create({"operation": "link", **texts})

    def build_texts(self, names, word):
        return {name: f"{word} {name}" for name in names}

    def read_texts(self, draft):
        """Return what another request would read."""
        draft.invalidate_recordset()
        return {name: draft[name] for name in TEXTS}

    def test_every_form_with_sealed_texts_computes_each_alone(self):
        draft = self.env.registry["spar.sealed.draft"]
        found = {
            name: {
                field.name: (field.compute, field.inverse)
                for field in model._fields.values()
                if field.inverse and not field.related
            }
            for name, model in self.env.registry.items()
            if issubclass(model, draft) and not model._abstract
        }
        known = {
            "spar.mapping.wizard": {
                *TEXTS,
                "document",
                "fa_text_again",
                "shared_reason",
            },
            "spar.mapping.wizard.part": {"value", "value_again"},
            "spar.find.wizard": {
                "typed",
                "id_value",
                "account",
                "reason",
                "person_name",
                "birth_year",
                "place",
            },
            "spar.representative.wizard": {
                "full_name",
                "identifier",
                "phone",
                "proof",
                "document",
            },
        }
        for model, names in known.items():
            self.assertEqual(found[model].keys(), names)
        for model, accessors in found.items():
            with self.subTest(model):
                self.assertTrue(accessors)
                self.assertEqual(len(set(accessors.values())), len(accessors))

    def test_created_with_any_of_them(self):
        for names in [set(), *SUBSETS]:
            texts = self.build_texts(names, "created")
            with self.subTest(names=names):
                draft = self.create_draft(**texts)
                expected = {**dict.fromkeys(TEXTS, False), **texts}
                self.assertEqual({name: draft[name] for name in TEXTS}, expected)
                self.assertEqual(self.read_texts(draft), expected)

    def test_a_form_of_yesterday_is_refused_in_our_words(self):
        draft = self.create_draft(id_value="Ada-1815", reason="came in")
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM spar_mapping_wizard WHERE id = %s", [draft.id])
        self.env.invalidate_all()
        for act in (
            lambda: draft.web_save({"reason": "again"}, {}),
            lambda: draft.write({"reason": "again"}),
            lambda: draft.web_read({"reason": {}}),
            lambda: draft.action_confirm(),
        ):
            with self.assertRaisesRegex(UserError, "open for too long"):
                act()
        find = self.env["spar.find.wizard"].create({"typed": "Ada-1815"})
        find.sudo().unlink()
        with self.assertRaisesRegex(UserError, "open for too long"):
            find.action_find()

    def test_nobody_chooses_the_number_of_a_form(self):
        """It is under the seals, and stands in the history in clear."""
        chosen = "2007760620"
        part = self.bank_account.part_ids.filtered(lambda part: part.kind == "text")
        line = Command.create({"uuid": chosen, "part_id": part[:1].id})
        draft = self.create_draft(uuid=chosen, part_ids=[line], reason="came in")
        by_default = self.wizards.with_context(default_uuid=chosen)
        other = by_default.create({"operation": "link", "part_ids": [line]})
        numbers = [*(draft | other).mapped("uuid"), *draft.part_ids.mapped("uuid")]
        numbers += other.part_ids.mapped("uuid")
        self.assertEqual(len({*numbers}), 4)
        self.assertNotIn(chosen, numbers)
        self.assertNotIn(chosen, draft.copy().uuid)
        for write in (
            lambda: draft.write({"uuid": chosen}),
            lambda: draft.web_save({"uuid": chosen}, {}),
            lambda: draft.write(
                {"part_ids": [Command.update(draft.part_ids.id, {"uuid": chosen})]}
            ),
        ):
            with self.assertRaisesRegex(AccessError, "number of a form"):
                write()
        self.assertEqual(self.read_texts(draft)["reason"], "came in")

    def test_created_together_with_different_ones(self):
        typed = [self.build_texts(names, "batch") for names in SUBSETS]
        drafts = self.wizards.create([{"operation": "link", **each} for each in typed])
        for draft, texts in zip(drafts, typed, strict=True):
            expected = {**dict.fromkeys(TEXTS, False), **texts}
            self.assertEqual(self.read_texts(draft), expected)

    def test_written_one_after_another(self):
        for first, second, is_fresh in product(SUBSETS, SUBSETS, (True, False)):
            with self.subTest(first=first, second=second, is_fresh=is_fresh):
                draft = self.create_draft(**self.build_texts(TEXTS, "created"))
                expected = self.build_texts(TEXTS, "created")
                for number, names in enumerate((first, second)):
                    if is_fresh:
                        draft.invalidate_recordset()
                    changed = self.build_texts(names, f"change {number} of")
                    draft.write(changed)
                    expected |= changed
                    self.assertEqual({n: draft[n] for n in TEXTS}, expected)
                self.assertEqual(self.read_texts(draft), expected)

    def test_saved_by_the_web_client(self):
        specification = {name: {} for name in TEXTS}
        for names in SUBSETS:
            with self.subTest(names=names):
                draft = self.create_draft(**self.build_texts(TEXTS, "created"))
                expected = self.build_texts(TEXTS, "created")
                draft.invalidate_recordset()
                changed = self.build_texts(names, "changed")
                (shown,) = draft.web_save(changed, specification)
                shown.pop("id")
                self.assertEqual(shown, {**expected, **changed})
                self.assertEqual(self.read_texts(draft), shown)

    def test_emptied_is_empty_and_the_others_stay(self):
        for names in SUBSETS:
            with self.subTest(names=names):
                draft = self.create_draft(**self.build_texts(TEXTS, "created"))
                draft.invalidate_recordset()
                draft.write(dict.fromkeys(names, False))
                expected = self.build_texts(TEXTS, "created")
                expected |= dict.fromkeys(names, False)
                self.assertEqual(self.read_texts(draft), expected)

    def test_several_forms_written_at_once(self):
        typed = [self.build_texts(TEXTS, word) for word in ("one", "other")]
        drafts = self.wizards.create([{"operation": "link", **each} for each in typed])
        for name in TEXTS:
            drafts.invalidate_recordset()
            drafts.write({name: f"same {name}"})
            for draft, texts in zip(drafts, typed, strict=True):
                texts[name] = f"same {name}"
                self.assertEqual(self.read_texts(draft), texts)

    def test_other_field_change_keeps_typed_text(self):
        draft = self.create_draft(**self.build_texts(TEXTS, "created"))
        for values in ({"has_evidence": True}, {"fa_type_id": self.bank_account.id}):
            draft.invalidate_recordset()
            draft.write(values)
            self.assertEqual(self.read_texts(draft), self.build_texts(TEXTS, "created"))

    def test_onchange_keeps_unsaved_text(self):
        """The web client sends only what has changed since it last saved."""
        specification = {name: {} for name in (*TEXTS, "fa_type_id")}
        for names in SUBSETS:
            with self.subTest(names=names):
                draft = self.create_draft(**self.build_texts(TEXTS, "created"))
                draft.invalidate_recordset()
                changed = self.build_texts(names, "changed")
                values = {**changed, "fa_type_id": self.bank_account.id}
                answer = draft.onchange(values, ["fa_type_id"], specification)
                found = {name: answer["value"].get(name, "") for name in TEXTS}
                self.assertEqual(found, dict.fromkeys(TEXTS, ""))

    def test_corrected_in_the_form_pair_by_pair(self):
        with Form(self.wizards.with_context(default_operation="link")) as form:
            for name, text in self.build_texts(TEXTS, "typed").items():
                form[name] = text
            draft = form.save()
        expected = self.build_texts(TEXTS, "typed")
        for names in SUBSETS:
            changed = self.build_texts(names, f"corrected {len(names)}")
            self.env.invalidate_all()
            with Form(draft) as form:
                for name, text in changed.items():
                    form[name] = text
            expected |= changed
            self.assertEqual(self.read_texts(draft), expected)

    def test_a_line_and_any_text_are_corrected_together(self):
        for names in [set(), *SUBSETS]:
            with self.subTest(names=names):
                line = {"part_id": self.bank_account.part_ids[0].id, "value": "typed"}
                values = self.build_texts(TEXTS, "created")
                draft = self.create_draft(**values, part_ids=[Command.create(line)])
                self.env.invalidate_all()
                changed = self.build_texts(names, "changed")
                command = Command.update(draft.part_ids.id, {"value": "corrected"})
                self.env.invalidate_all()
                draft.write({**changed, "part_ids": [command]})
                self.assertEqual(self.read_texts(draft), {**values, **changed})
                self.env.invalidate_all()
                self.assertEqual(draft.part_ids.value, "corrected")

    def test_another_kind_keeps_values_it_also_needs(self):
        """A user who first chose the wrong kind need not type the number again."""
        first, second = self.create_kinds({"number", "branch"}, {"number", "name"})
        with Form(self.wizards.with_context(default_operation="link")) as form:
            form.fa_type_id = first
            for number in range(len(form.part_ids)):
                with form.part_ids.edit(number) as line:
                    line.value = line.value_again = "typed"
            form.fa_type_id = second
            lines = form.part_ids._records
            typed = {self.get_key(line) for line in lines if line["value"]}
            form.id_value, form.reason = "7", "typed"
            for number in range(len(lines)):
                with form.part_ids.edit(number) as line:
                    line.value = line.value_again = "typed"
        self.assertEqual(typed, {"number"})

    def create_kinds(self, *kinds):
        """Create kinds of address that ask for these texts."""
        return [
            self.env(su=True)["spar.fa.type"].create(
                {
                    "name": f"Kind {number}",
                    "code": f"kind_{number}",
                    "part_ids": [
                        Command.create({"key": key, "label": key, "kind": "text"})
                        for key in sorted(keys)
                    ],
                }
            )
            for number, keys in enumerate(kinds)
        ]

    def get_key(self, line):
        """Return the key of the part that a line of the form is for."""
        return self.env["spar.fa.type.part"].browse(line["part_id"]).key

    # === OWNERSHIP === #

    def test_a_line_is_its_users_alone(self):
        line = {"part_id": self.bank_account.part_ids[0].id, "value": "typed"}
        draft = self.create_draft(part_ids=[Command.create(line)])
        groups = "base.group_user,spar_fa_directory.group_officer"
        other = new_test_user(self.env(su=True), "another.officer", groups=groups)
        for record in (draft, draft.part_ids):
            theirs = record.with_user(other)
            with self.assertRaises(AccessError):
                theirs.read()
            with self.assertRaises(AccessError):
                theirs.write({"uuid": "x"})
        self.assertFalse(
            self.env["spar.mapping.wizard.part"].with_user(other).search([])
        )

    def test_what_is_typed_is_its_users_alone(self):
        """Superuser code that knows a form's number, where no record rule binds."""
        draft = self.create_draft(id_value=ID, fa_text=FA)
        groups = "base.group_user,spar_fa_directory.group_officer"
        other = new_test_user(self.env(su=True), "another.officer", groups=groups)
        for name in TEXTS:
            with self.subTest(name), self.assertRaises(AccessError):
                draft.invalidate_recordset()
                draft.with_user(other).sudo()[name]  # noqa: B018
        draft.invalidate_recordset()
        self.assertEqual(draft.sudo().id_value, ID)

    def test_every_window_is_its_users_alone(self):
        rules = self.env["ir.rule"].sudo().search([("groups", "=", False)])
        owned = {
            rule.model_id.model
            for rule in rules
            if rule.domain_force.startswith("[('create_uid', '=', user.id)")
        }
        windows = {
            name
            for name, model in self.env.registry.items()
            if name.startswith("spar.") and model._transient and not model._abstract
        }
        self.assertEqual(windows - owned, set())

    def test_no_table_holds_typed_text(self):
        line = {"part_id": self.bank_account.part_ids[0].id, "value": "Zz81 value"}
        draft = self.create_draft(
            **self.build_texts(TEXTS, "Qq72"), part_ids=[Command.create(line)]
        )
        draft.write(self.build_texts(TEXTS[:2], "Ww63"))
        self.env.flush_all()
        self.assertEqual(self.find_clear("Zz81 ", "Qq72 ", "Ww63 "), [])

    def test_after_a_refusal_any_pair_is_corrected_and_confirmed(self):
        wrong = {
            "id_value": "token:a\u200bb@nationalId",
            "fa_text": "account:",
            "reason": " ",
        }
        for number, pair in enumerate(combinations(TEXTS, 2)):
            with self.subTest(pair=pair):
                texts = {
                    "id_value": f"token:Pair-{number}@nationalId",
                    "fa_text": f"account:55550000{number}@BR01.TESTBANK",
                    "reason": "Came to the counter",
                }
                texts["fa_text_again"] = texts["fa_text"]
                draft = self.create_draft(**{**texts, **{n: wrong[n] for n in pair}})
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    draft.action_confirm()
                self.env.invalidate_all()
                draft.write({name: texts[name] for name in pair})
                self.env.invalidate_all()
                draft.action_confirm()  # asks for confirmation: the ID has letters
                draft.is_id_right = True
                draft.action_confirm()
                self.assertEqual(self.get_fa(texts["id_value"]), texts["fa_text"])

    def test_missing_id_is_refused(self):
        draft = self.create_draft(**type_address(FA), reason="Came to the counter")
        with self.assertRaisesRegex(UserError, "Enter the beneficiary ID"):
            draft.action_confirm()
        self.assertIsNone(self.get_fa(ID))

    def test_a_form_sealed_by_an_earlier_version_opens(self):
        draft = self.create_draft(reason="Came to the counter")
        self.assert_sealed_as(draft, "draft", "draft", draft.uuid)
