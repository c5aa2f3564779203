"""Who did what: by name, with no reference and no number that nobody can read."""

from functools import partial
from unittest.mock import patch

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger, safe_eval

from odoo.addons.spar_mapper_connector import expressions
from odoo.addons.spar_mapper_connector.exceptions import CalledFromExpression
from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext
from odoo.addons.spar_mapper_connector.server import readers
from odoo.addons.spar_mapper_connector.tests.test_two_accounts import ServedRequest

from .common import FA, ID, OTHER_FA, OTHER_ID
from .test_spar_complaint import ComplaintCase

#: What the store keeps about people and channels, and nobody can read.
REFERENCES = {
    "actor",
    "on_behalf_of",
    "channel",
    "proposer",
    "decided_by",
    "closed_by",
    "ended_by",
    "filler",
}
GUARD_LOGGER = "odoo.addons.spar_mapper_connector.expressions"
READING_LOGGER = "odoo.addons.spar_mapper_connector.server.reading"


@tagged("post_install", "-at_install")
class TestWhoDidWhat(ComplaintCase):
    def setUp(self):
        super().setUp()
        self.clerk = self.users["clerk"]
        self.clerk.name = "Ana Reyes"
        self.update(ID, OTHER_FA, self.call_of("clerk"))
        self.event = self.find_event(ID, "updated")

    def help_beneficiary(self):
        """Change the address as an officer whom the person stands beside."""
        call = CallContext(
            f"user:{self.clerk.id}",
            "agent",
            Authority.OWNER,
            "login",
            on_behalf_of="person:0123456789abcdef0123456789abcdef",
        )
        self.update(ID, FA, call)
        return self.subject_of(ID).event_ids.sorted("id")[-1:]

    def test_both_are_named_where_an_officer_helped(self):
        event = self.help_beneficiary()
        self.assertEqual(event.actor_name, "Ana Reyes, with the beneficiary")
        self.assertEqual(event.channel_name, "Staff, with the person present")

    def test_who_helped_at_a_portal_elsewhere_is_staff_of_that_portal(self):
        """Table: what the history keeps, and what is shown; no name of staff here."""
        portal, person = "participant:portal.example", "person:" + "0a" * 16
        own = f"user:{self.clerk.id}"
        shown = "portal.example"
        table = {
            (portal, person, own): (
                f"Staff member {self.clerk.id} of {shown}, with the beneficiary"
            ),
            (portal, own, "Asked"): f"Staff member {self.clerk.id} of {shown}",
            (portal, f"registry/{own}", ""): f"Staff member {self.clerk.id} of {shown}",
            (portal, f"{own}/{person}", ""): (
                f"Staff member {self.clerk.id} of {shown}, with the beneficiary"
            ),
            (portal, "user:" + "0b" * 16, ""): f"Staff member 0B0B0B0B of {shown}",
            (portal, "system", ""): shown,
            (person, "", portal): f"The beneficiary, at {shown}",
            (own, "", portal): "Ana Reyes",
        }
        events = self.env["spar.event"]
        self.assertEqual(events._build_actor_names(list(table)), list(table.values()))

    def test_reason_that_is_a_reference_is_not_shown(self):
        call = CallContext(
            "participant:portal.example",
            "agent",
            Authority.OWNER,
            "login",
            on_behalf_of=f"user:{self.clerk.id}",
            reason=f"user:{self.clerk.id}",
        )
        self.update(ID, FA, call)
        event = self.subject_of(ID).event_ids.sorted("id")[-1:]
        self.assertFalse(event.reason_text)
        self.assertNotIn("user:", event.actor_name)
        self.assertNotIn(self.clerk.name, event.actor_name)
        found = self.env["spar.event"].search([("actor_name", "ilike", "ana reyes")])
        self.assertNotIn(event, found)
        self.assertIn(self.event, found)

    def test_staff_behind_another_actor_are_named_and_found(self):
        call = CallContext(
            "registry",
            "registry",
            Authority.OWNER,
            on_behalf_of=f"user:{self.clerk.id}",
        )
        self.update(ID, FA, call)
        event = self.subject_of(ID).event_ids.sorted("id")[-1:]
        self.assertEqual(event.actor_name, "The programme, for Ana Reyes")
        found = self.env["spar.event"].search([("actor_name", "ilike", "ana reyes")])
        self.assertIn(event, found)

    def test_nobody_is_a_reference(self):
        names = self.env["spar.event"]._get_actor_names
        gone = f"user:{self.clerk.id + 1_000_000}"
        programs = ("system", "notice", "registry", "mapper", "registry/user:7")
        programs += ("mapper/person:" + "0a" * 16,)
        for actor in (gone, *programs):
            with self.subTest(actor):
                name = names([actor])[actor]
                self.assertNotIn(":", name)
                self.assertTrue(name[0].isupper())

    def test_people_of_one_name_are_distinguished_by_their_logins(self):
        colleague = self.users["colleague"]
        colleague.name = self.clerk.name
        self.update(ID, FA, self.call_of("colleague"))
        events = self.env["spar.event"]
        groups = events.formatted_read_group(
            [("subject_id", "=", self.subject_of(ID).id), ("channel", "=", "staff")],
            ["actor"],
            ["__count"],
        )
        self.assertEqual(
            {group["actor"] for group in groups},
            {
                f"Ana Reyes ({self.clerk.login})",
                f"Ana Reyes ({colleague.login})",
            },
        )

    def test_channels_have_names_and_are_found_by_them(self):
        events = self.env["spar.event"]
        mine = [("subject_id", "=", self.subject_of(ID).id)]
        self.assertEqual(self.event.channel_name, "Staff")
        found = events.search([*mine, ("channel_name", "ilike", "api")])
        self.assertEqual(found.mapped("kind"), ["linked"])
        self.assertFalse(events.search([*mine, ("channel_name", "ilike", "carrier")]))
        groups = events.formatted_read_group(mine, ["channel"], ["__count"])
        names = {group["channel"] for group in groups}
        self.assertEqual(names, {"Staff", "Participant (API)"})

    def test_no_reference_is_longer_than_can_be_read_aloud(self):
        call = CallContext(
            f"user:{self.clerk.id}",
            "staff",
            Authority.STAFF,
            "document",
            message_reference="evidence:0123456789abcdef0123456789abcdef",
        )
        self.update(ID, FA, call)
        event = self.subject_of(ID).event_ids.sorted("id")[-1:]
        self.assertEqual(event.reference_name, "01234567")
        self.assertFalse(self.event.reference_name)

    def test_no_screen_shows_a_reference_instead_of_a_name(self):
        kinds = ("list", "kanban", "form")
        views = self.env["ir.ui.view"].search(
            [("model", "like", "spar.%"), ("type", "in", kinds)]
        )
        shown = {
            (view.xml_id, name)
            for view in views
            for name in etree.fromstring(view.arch).xpath("//field/@name")
            if name in REFERENCES and not self.has_choices(view.model, name)
        }
        self.assertEqual(shown, set())

    def has_choices(self, model, name) -> bool:
        """Return whether a field is chosen from a list, whose entries have names."""
        field = self.env[model]._fields.get(name)
        return bool(field) and field.type in ("selection", "many2one")

    def test_it_is_searched_by_person_name_date_channel_and_kind(self):
        events = self.env["spar.event"].with_user(self.users["viewer"])
        tree = etree.fromstring(events.get_view(view_type="search")["arch"])
        fields = {"subject_id", "actor_name", "channel_name", "kind"}
        self.assertEqual(fields - set(tree.xpath("//field/@name")), set())
        self.assertTrue(tree.xpath("//filter[@date='happened_at']"))
        groups = {"actor", "channel", "kind", "happened_at:day"}
        contexts = " ".join(tree.xpath("//filter/@context"))
        self.assertEqual({g for g in groups if f"'{g}'" not in contexts}, set())
        arch = events.get_view(view_type="list")["arch"]
        columns = etree.fromstring(arch).xpath("//field[not(@optional='hide')]/@name")
        self.assertLessEqual({"happened_at", "kind", "actor_name"}, set(columns))

    def test_each_kind_of_event_has_a_name(self):
        events = self.env["spar.event"]
        labels = events._get_kind_labels()
        kinds = {kind for kind, _label in events._selection_kind()}
        self.assertEqual(kinds - labels.keys(), set())

    def test_one_s_own_day(self):
        self.link(OTHER_ID, FA)
        events = self.env["spar.event"].with_user(self.clerk)
        action = self.env.ref("spar_mapper.spar_event_action_my_day")
        self.assertIn("is_own", action.domain)
        own = events.search([("is_own", "=", True)])
        self.assertEqual(own, self.event)
        others = events.search(
            [("is_own", "=", False), ("subject_id", "=", self.subject_of(ID).id)]
        )
        self.assertEqual(others.mapped("kind"), ["linked"])

    def test_a_person_s_page_leads_to_who_did_what(self):
        person = self.subject_of(ID).with_user(self.users["viewer"])
        action = person.action_who_did_what()
        found = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(found, person.event_ids.sorted("id", reverse=True))
        self.assertNotIn("Ada", str(action))

    def test_an_auditor_sees_from_the_page_who_looked(self):
        self.env["spar.mapping"].with_user(self.clerk).search([("id_value", "=", ID)])
        self.link(OTHER_ID, FA)
        person = self.subject_of(ID)
        action = person.with_user(self.users["auditor"]).action_who_looked()
        looks = self.env[action["res_model"]].with_user(self.users["auditor"])
        self.assertEqual(looks.search(action["domain"]).actor_name, "Ana Reyes")
        with self.assertRaises(AccessError):
            looks.with_user(self.clerk).search(action["domain"])

    def test_changes_alone_can_be_listed(self):
        self.record("not_paid", missed_on=self.event.happened_at.date())
        events = self.env["spar.event"]
        mine = [("subject_id", "=", self.subject_of(ID).id)]
        found = events.search([*mine, ("is_change", "=", True)])
        self.assertEqual(set(found.mapped("kind")), {"linked", "updated"})
        others = events.search([*mine, ("is_change", "=", False)])
        self.assertEqual(others.mapped("kind"), ["complaint_recorded"])

    def test_without_a_role_nobody_reads_it(self):
        for name in ("nobody", "administrator"):
            user = self.users[name]
            with self.subTest(name), self.assertRaises(AccessError):
                self.env["spar.event"].with_user(user).search([("is_own", "=", True)])
            with self.subTest(name), self.assertRaises(AccessError):
                self.event.with_user(user).read(["actor_name", "channel_name"])

    def test_odoo_names_no_record_to_whom_it_is_closed(self):
        """Notes and activities hold the name of any record, by its number."""
        # An administrator has a role, and no right to see what concerns people.
        for name, is_open in (("auditor", True), ("administrator", False)):
            user = self.users[name]
            for model, number in (
                ("mail.activity", {"res_model": "spar.event", "res_id": self.event.id}),
                ("mail.message", {"model": "spar.event", "res_id": self.event.id}),
            ):
                named = "res_name" if "res_model" in number else "record_name"
                rows = self.env[model].with_user(user)
                served = ServedRequest(user.id)
                with (
                    self.subTest(user=name, model=model),
                    patch.object(expressions, "request", served),
                    patch.object(readers, "request", served),
                    mute_logger(READING_LOGGER),
                ):
                    self.env.invalidate_all()
                    if is_open:
                        found = rows.onchange(number, [], {named: {}})["value"]
                        self.assertEqual(found[named], self.event.display_name)
                        continue
                    with self.assertRaises(AccessError):
                        rows.onchange(number, [], {named: {}})

    def test_no_form_computes_for_somebody_what_they_may_not_read(self):
        """Odoo computes stored fields as superuser, unless they say otherwise."""
        found = [
            str(field)
            for name, model in self.registry.items()
            if name.startswith("spar.") and model._transient
            for field in model._fields.values()
            if field.compute and field.store and field.compute_sudo
        ]
        self.assertEqual(found, [])

    def test_no_expression_counts_what_was_done(self):
        """Our own methods, which name those who did it, stand between."""
        for name, field in (
            ("spar.event", "actor"),
            ("spar.staff.act", "actor"),
            ("spar.lookup", "actor"),
            ("spar.mapping", "state"),
        ):
            code = f"rows.sudo().formatted_read_group([], [{field!r}], ['__count'])"
            with self.subTest(name), mute_logger(GUARD_LOGGER):
                rows = self.env[name]
                with self.assertRaisesRegex(ValueError, "CalledFromExpression"):
                    safe_eval.safe_eval(code, {"rows": rows})

    def test_no_expression_has_odoo_note_whom_a_record_is_about(self):
        """An activity keeps its record's name, which is computed after all ended."""
        action = self.env["ir.actions.server"].create(
            {
                "name": "Remind",
                "state": "code",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "code": "env['mail.activity'].create(env.context['values'])",
            }
        )
        row = self.subject_of(ID)
        values = {
            "res_model_id": self.env["ir.model"]._get_id(row._name),
            "res_id": row.id,
            "user_id": False,
            "date_deadline": "2100-01-01",
        }
        action = action.with_context(mail_activity_quick_update=True)
        env = action.env
        names = {"rows": env["mail.activity"].sudo(), "values": values}
        page = etree.fromstring('<t t-out="rows.create(values)"/>')
        for name, leave in (
            ("action", action.with_context(values=values).run),
            ("page", partial(env["ir.qweb"]._render, page, names)),
            ("rule", partial(safe_eval.safe_eval, "rows.create(values)", names)),
        ):
            with self.subTest(name), mute_logger(GUARD_LOGGER):
                with self.assertRaises(CalledFromExpression), self.env.cr.savepoint():
                    leave()
                    env.flush_all()

        # What others have left to be computed is not computed for an expression.
        person = env["res.partner"].create({"name": "Contact"})
        contact = env["ir.model"]._get_id(person._name)
        theirs = {**values, "res_model_id": contact, "res_id": person.id}
        theirs = safe_eval.safe_eval("rows.create(values)", {**names, "values": theirs})
        ours = env["mail.activity"].create(values)
        self.assertEqual(ours.res_name, row.display_name)
        self.assertEqual(theirs.res_name, person.display_name)
        theirs.write({"res_model_id": values["res_model_id"], "res_id": row.id})
        self.assertEqual(theirs.res_name, row.display_name)
