"""No expression opens, signs or changes anything, for any user.

Each attempt is an expression; each channel is a place where Odoo evaluates what users
typed. The result of an attempt is checked as text, which must not contain any ID,
account or key.
"""

from base64 import b64encode
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector import clear_fields, expressions
from odoo.addons.spar_mapper_connector.exceptions import NotThePerson
from odoo.addons.spar_mapper_connector.lib import keyring as keys
from odoo.addons.spar_mapper_connector.models import (
    base,
    spar_keyring,
    spar_sealed_storage,
    spar_second_person,
    spar_setting_change,
)
from odoo.addons.spar_mapper_connector.server import reading

from ..models import spar_mapper_local
from .common import FA, ID, StoreCase

_USER = "env['res.users'].sudo().search([('login', '=', 'expr-officer')])"
_OFFICER = f"env['spar.mapper.local'].with_user({_USER})"
_CALL = f"{_OFFICER}._build_staff_call()"
_DRAFT = (
    f"env['spar.mapping.wizard'].with_user({_USER})"
    ".create({'operation': 'suspend', 'mapping_id': "
    "env['spar.mapping'].sudo().search([], order='id desc', limit=1).id, "
    "'suspend_reason': 'account', 'seen_version': 1})"
)

_CONFIRMED = f"{_DRAFT}.action_confirm()"

#: Expressions that would disclose a value if nothing refused them.
READING = {
    "masked list": "env['spar.mapping'].sudo().search([]).mapped('fa_masked')",
    "shown as an officer": (
        f"{_OFFICER}._show_heads({_CALL}, env['spar.mapping'].sudo().search([]).ids)"
    ),
    # In two pieces, because the refusal quotes the expression.
    "history as an officer": (f"{_OFFICER}._history({_CALL}, '{ID[:8]}' + '{ID[8:]}')"),
    "masked, by a lambda": (
        "(lambda m: m.mapped('id_masked'))(env['spar.mapping'].sudo().search([]))"
    ),
    "masked, in a comprehension": (
        "[m.fa_masked for m in env['spar.mapping'].sudo().search([])]"
    ),
    "an officer's draft": (
        "env['spar.mapping.wizard'].sudo().search([]).mapped('reason')"
    ),
    "a keyring": "env['spar.keyring']._open()",
    "a private key": "env['spar.signing.key']._get_private_key('messages').to_pem()",
    "an unused key": "env['spar.keyring']._get_unused_seal_key().material",
    "the file": "env['spar.keyring']._get_path().read_text()",
    "the checkpoints' folder": (
        "env['spar.checkpoint']._get_path().parent.parent.iterdir()"
    ),
    "keys by format, globals": (
        "'{0.__func__.__globals__[_OPENED]}'.format(env['spar.keyring']._open)"
    ),
    "keys by format, opened": (
        "'{0.__func__.__globals__[_OPENED][%s][1].__dict__}'.replace("
        "'%s', env.cr.dbname).format(env['spar.keyring']._open)"
    ),
    "keys by format, each": (
        "'{0.__func__.__globals__[_OPENED][%s][1]._keys}'.replace("
        "'%s', env.cr.dbname).format(env['spar.keyring']._open)"
    ),
}
#: Expressions that would change something if nothing refused them.
CHANGING = {
    "unlink as an officer": (
        f"{_OFFICER}._change({_CALL}, env.registry['spar.mapper.local'], [])"
    ),
    "a draft in an officer's name": _CONFIRMED,
    "a draft, mapped": f"list(map(lambda d: d.action_confirm(), [{_DRAFT}]))",
    "objection closed": (f"{_OFFICER}._close_objection({_CALL}, 1, True)"),
    "kinds of IDs": "env['spar.id.type'].sudo().search([]).write({'active': False})",
    "a rotation": "env['spar.keyring']._start_rotation()",
    "an event": f"{_OFFICER}._log_reveal({_CALL}, 1, None)",
}


@tagged("-at_install", "post_install")
class TestExpressions(StoreCase):
    def setUp(self):
        super().setUp()
        self.open_names()
        self.officer = self.create_user("officer", "expr-officer")
        self.designer = self.create_user(None, "expr-designer")
        self.link(ID, FA)
        self.env.flush_all()

    # === CHANNELS === #

    def by_server_action(self, expression):
        action = self.env["ir.actions.server"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get("res.partner").id,
                "state": "code",
                "code": f"action = {{'name': str({expression})}}",
            }
        )
        return action.run()["name"]

    def by_qweb(self, expression):
        # Like Odoo's attribute values: double quotes delimit.
        view = self.env["ir.ui.view"].create(
            {
                "name": "x",
                "type": "qweb",
                "arch": f'<t t-name="x"><t t-out="str({expression})"/></t>',
            }
        )
        return str(self.env["ir.qweb"]._render(view.id))

    def by_computed_field(self, expression):
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_attempt",
                "model_id": self.env["ir.model"]._get("res.country").id,
                "ttype": "char",
                "store": False,
                "depends": "code",
                "compute": (
                    "for record in self:\n"
                    f"    env = record.env\n    record['x_attempt'] = str({expression})"
                ),
            }
        )
        try:
            return self.env.ref("base.in").x_attempt
        finally:
            field.unlink()

    def by_record_rule(self, expression):
        """Evaluate by a rule whose domain sets its name to the expression's result."""
        domain = f"[('name', 'in', (lambda env: [str({expression})])(user.env))]"
        self.env["ir.rule"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get("res.bank").id,
                "domain_force": domain,
            }
        )
        rules = self.env["ir.rule"].with_user(self.designer)
        return str(rules._compute_domain("res.bank", "read"))

    def by_inline_template(self, expression):
        """Evaluate as the subject of a mail template is rendered."""
        from odoo.tools import rendering_tools

        groups = rendering_tools.parse_inline_template("{{ str(%s) }}" % expression)
        values = {**rendering_tools.template_env_globals, "env": self.env}
        return rendering_tools.render_inline_template(groups, values)

    @property
    def channels(self):
        return {
            "server action": self.by_server_action,
            "QWeb": self.by_qweb,
            "computed field": self.by_computed_field,
            "record rule": self.by_record_rule,
            "inline template": self.by_inline_template,
        }

    def attempt(self, channel, expression) -> str:
        """Return the result of an expression, or the text of its refusal."""
        with mute_logger("odoo.addons.spar_mapper_connector.expressions"):
            try:
                with self.env.cr.savepoint():
                    text = self.channels[channel](expression)
                    self.env.flush_all()
                    return str(text)
            # Any refusal counts: pylint: disable-next=broad-except
            except Exception as error:
                self.env.invalidate_all()
                return f"{error!r} {error.__cause__!r} {error.__context__!r}"

    @contextmanager
    def without_guard(self):
        """Disable the check of the caller during the block."""
        with ExitStack() as stack:
            for module in (
                expressions,
                spar_keyring,
                spar_sealed_storage,
                spar_second_person,
                base,
                clear_fields,
                reading,
            ):
                stack.enter_context(
                    patch.object(module, "refuse_expressions", lambda: None)
                )
            for module in (spar_mapper_local, spar_setting_change):
                stack.enter_context(
                    patch.object(module, "check_person", lambda env: None)
                )
            yield

    # === RESULTS === #

    def get_secrets(self) -> set[str]:
        """Return what no text may contain: the person's values, and keys as text."""
        ring = keys.read_file(spar_keyring.get_path(self.env))
        secrets = {FA, ID, FA[-4:], "BEGIN " + "PRIVATE KEY"}
        for key in ring.keys.values():
            material = key.material
            secrets |= {material.hex(), b64encode(material).decode(), str(material)}
        return secrets

    def read_state(self):
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT (SELECT count(*) FROM spar_event),
                      (SELECT string_agg(state, ',' ORDER BY id) FROM spar_mapping),
                      (SELECT count(*) FROM spar_id_type WHERE active),
                      (SELECT seal_key FROM spar_keyring_phase)"""
        )
        return self.env.cr.fetchone()

    def test_nothing_is_read(self):
        secrets = self.get_secrets()
        # Both have been computed for another user's screen.
        for channel in self.channels:
            for name, expression in READING.items():
                with self.subTest(channel, attempt=name):
                    self.env.invalidate_all()
                    text = self.attempt(channel, expression)
                    self.assertFalse([s for s in secrets if s in text], text[:300])

    def test_nothing_is_changed(self):
        before = self.read_state()
        for channel in self.channels:
            for name, expression in CHANGING.items():
                with self.subTest(channel, attempt=name):
                    self.env.invalidate_all()
                    self.attempt(channel, expression)
                    self.assertEqual(self.read_state(), before)

    def test_without_the_guard_they_would_succeed(self):
        """This proves that what the other tests try is an attack."""
        before = self.read_state()
        with self.without_guard():
            for channel in self.channels:
                with self.subTest(channel):
                    self.env.invalidate_all()
                    text = self.attempt(channel, READING["shown as an officer"])
                    self.assertIn(FA, text)
                    # Odoo evaluates a new rule twice, and a draft is confirmed once.
                    if channel != "record rule":
                        with self.undone():
                            self.attempt(channel, _CONFIRMED)
                            self.assertNotEqual(self.read_state(), before)

    # === DEFERRED CALLS === #

    def test_deferred_call_is_refused(self):
        """An expression leaves a method with Odoo, to be called at the end."""
        wizard = (
            self.env["spar.mapping.wizard"]
            .with_user(self.officer)
            .create(
                {
                    "operation": "suspend",
                    "mapping_id": self.mapping_of(ID).id,
                    "suspend_reason": "account",
                }
            )
        )
        before = self.read_state()
        self.env.cr.postcommit.add(wizard.action_confirm)
        with mute_logger("odoo.addons.spar_mapper_connector.expressions"):
            with self.assertRaises(UserError):
                self.env.cr.postcommit.run()
        self.env.cr.postcommit.clear()
        self.assertEqual(self.read_state(), before)

    def test_an_expression_gets_nothing_that_calls_later(self):
        for expression in ("map(str, [1])", "filter(str, [1])"):
            for channel in self.channels:
                with self.subTest(channel, expression=expression):
                    text = self.attempt(channel, expression)
                    self.assertNotIn("object", text)

    def test_no_call_in_the_name_of_another_user(self):
        class Request:
            def _get_current_object(self):
                return self

        mapper = self.mapper.with_user(self.officer)
        self.assertTrue(mapper._build_staff_call())
        served = Request()
        with patch.object(expressions, "request", served):
            expressions.note_person(self.designer.id)
            with self.assertRaises(AccessError):
                mapper._build_staff_call()
            with self.assertRaises(NotThePerson):
                expressions.check_person(mapper.env)
            expressions.note_person(self.officer.id)
            self.assertTrue(mapper._build_staff_call())

    def test_superuser_is_no_role(self):
        with self.assertRaises(AccessError):
            self.mapper.with_user(self.designer).sudo()._build_staff_call()

    # === ADDITIONS TO OUR MODELS === #

    def test_our_models_take_nothing_from_outside(self):
        models, wizard = self.env["ir.model"], "spar.mapping.wizard"
        ours = models._get(wizard).id
        partner = models._get("res.partner").id
        attempts = {
            "field": (
                "ir.model.fields",
                {"name": "x_a", "model_id": ours, "ttype": "char"},
            ),
            "relation": (
                "ir.model.fields",
                {
                    "name": "x_b",
                    "model_id": partner,
                    "ttype": "many2one",
                    "relation": "spar.mapping",
                },
            ),
            "action": (
                "ir.actions.server",
                {"name": "x", "model_id": ours, "state": "code", "code": "pass"},
            ),
            "creating": (
                "ir.actions.server",
                {
                    "name": "x",
                    "model_id": partner,
                    "state": "object_create",
                    "crud_model_id": ours,
                    "value": "x",
                },
            ),
            "rule": (
                "ir.rule",
                {"name": "x", "model_id": ours, "domain_force": "[(1, '=', 1)]"},
            ),
        }
        for name, (model, values) in attempts.items():
            with self.subTest(name), self.assertRaises(ValidationError):
                self.env[model].create(values)

    def test_our_rules_and_actions_are_not_edited(self):
        rule = self.env["ir.rule"].search([("model_id.model", "=like", "spar.m%")])[:1]
        with self.assertRaises(ValidationError):
            rule.domain_force = "[(1, '=', 1)]"
        cron = self.env["ir.cron"].search([("code", "like", "_cron_decide_due")])
        with self.assertRaises(ValidationError):
            cron.code = "model._cron_decide_due()\nenv['res.partner'].search([])"
        cron.code = "model._cron_decide_due() "
