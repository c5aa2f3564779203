from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.api import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..expressions import get_person

_GUARD = """
    CREATE OR REPLACE FUNCTION spar_account_act_stays() RETURNS trigger AS $$
    BEGIN
        RAISE EXCEPTION 'the log of acts on accounts is never changed or deleted';
    END $$ LANGUAGE plpgsql;
    CREATE OR REPLACE TRIGGER spar_account_act_stays
        BEFORE UPDATE OR DELETE OR TRUNCATE ON spar_account_act
        FOR EACH STATEMENT EXECUTE FUNCTION spar_account_act_stays();
"""
#: Times of changes are stored in whole seconds.
_SECOND = timedelta(seconds=1)
#: Acts after which their actor may be able to log in to the account, and for how long
#: that is a doubt about two accounts at once.
_OPENING = ("login", "password", "factor", "email", "reset")
_LATELY = timedelta(days=30)


class SparAccountAct(models.Model):
    """An act of a user on another's account, which may allow them to use it.

    Two accounts that one person can use are not two people: a user who created an
    account, gave it a role, a password or an address, or removed its second factor,
    cannot have changes approved by it.
    """

    _name = "spar.account.act"
    _description = "Act on an account"
    _order = "id desc"
    _rec_name = "login"
    _log_access = False

    account_id = fields.Integer(
        string="Account number",
        required=True,
        readonly=True,
        index=True,
        aggregator=None,
    )
    login = fields.Char(string="Account", required=True, readonly=True)
    kind = fields.Selection(
        [
            ("created", "Account made"),
            ("role", "Role given"),
            ("login", "Login changed"),
            ("password", "Password set"),
            ("factor", "Second factor changed"),
            ("email", "E-mail address changed"),
            ("reset", "Password reset asked for"),
            ("own", "Own password set"),
            ("opened", "Closed account opened"),
        ],
        string="What",
        required=True,
        readonly=True,
    )
    actor_id = fields.Integer(
        string="Account that did it", required=True, readonly=True, aggregator=None
    )
    actor_login = fields.Char(string="By", required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    in_setup = fields.Boolean(
        string="During set-up",
        readonly=True,
        help="Before there were two administrators. It counts until whoever has the "
        "account has set a password of their own.",
    )

    is_closed = fields.Boolean(
        compute="_compute_is_closed", help="The account opens nothing as it is."
    )

    def init(self):
        result = super().init()
        self.env.cr.execute(_GUARD)
        return result

    def write(self, vals):
        self._refuse()
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_never(self):
        self._refuse()

    def _refuse(self):
        raise AccessError(
            self.env._("The log of acts on accounts cannot be changed or deleted.")
        )

    @api.model
    def _log(self, users: models.BaseModel, kind: str) -> None:
        """Note the acting user's acts on accounts of others."""
        actor = self.env["res.users"].sudo().browse(get_person(self.env))
        if actor.id == SUPERUSER_ID:
            return
        in_setup = not self.env["spar.group.log"]._is_set_up()
        others = users.sudo() - actor
        acts = [(user, kind) for user in others]
        if kind == "password" and actor in users.sudo():
            acts.append((actor, "own"))
        if not acts:
            return
        now = fields.Datetime.now()
        self.env["res.users"].flush_model(["login"])
        # Written past the ORM: the acts of an expression on ordinary accounts are noted
        # as well, and no expression writes this model.
        self.env.cr.execute_values(
            """INSERT INTO spar_account_act (account_id, login, kind, actor_id,
                                             actor_login, date, in_setup) VALUES %s""",
            [
                (user.id, user.login, each, actor.id, actor.login, now, in_setup)
                for user, each in acts
            ],
        )
        self.invalidate_model()

    def _compute_is_closed(self):
        """Compute whether the account of each act is closed."""
        users_sudo = self.env["res.users"].sudo()
        accounts = users_sudo.browse(set(self.mapped("account_id"))).exists()
        holders = accounts._filter_roles()
        closed = set((holders - holders._filter_true_accounts()).ids)
        for act in self:
            act.is_closed = act.account_id in closed

    def action_open_account(self):
        """Open an account whose second factor another user has changed.

        Its owner has requested that change, which another administrator verifies.
        Raises UserError for an account that was altered past Odoo: only the operator of
        the server opens that.
        """
        self.ensure_one()
        self.env["spar.setting.change"]._check_administrator()
        user_sudo = self.env["res.users"].sudo().browse(self.account_id).exists()
        act_sudo = self.sudo().search(
            [
                ("account_id", "=", user_sudo.id),
                ("kind", "in", ("factor", "opened")),
            ],
            limit=1,
        )
        if act_sudo.kind != "factor" or not user_sudo._filter_true():
            raise UserError(
                self.env._(
                    "This account was altered past Odoo. Tell whoever operates the "
                    "server."
                )
            )
        if self.env.uid in (user_sudo.id, act_sudo.actor_id):
            raise UserError(
                self.env._(
                    "It is your account, or you changed its second factor. Another "
                    "administrator has to open it."
                )
            )
        user_sudo._seal_credentials()
        self._log(user_sudo, "opened")
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.model
    def _find_dependence(self, approver, proposer, moment: datetime) -> str:
        """Return why the approver may be the proposer; "" if nothing suggests it."""
        if approver.sudo().create_date > moment + _SECOND:
            return self.env._("your account is younger than the change")
        own = self.sudo().search(
            [("account_id", "=", approver.id), ("kind", "=", "own")], limit=1
        )
        over = Domain("in_setup", "=", True) & Domain("id", "<", own.id or 0)
        acts = self.sudo().search(Domain("account_id", "=", approver.id) & ~over)
        act = acts.filtered(lambda act: act.actor_id == proposer.id)[:1]
        if act:
            kinds = dict(self._fields["kind"]._description_selection(self.env))
            return self.env._(
                "they had a hand in your account (%(what)s, %(date)s)",
                what=kinds[act.kind],
                date=fields.Date.to_string(act.date),
            )
        return self._find_third(acts, approver, proposer, moment)

    def _find_third(self, acts, approver, proposer, moment: datetime) -> str:
        """Return whether somebody else may use both accounts, as a reason; else "".

        Somebody who lately gave both of them another password, factor or address can
        have logged in as both.

        :param acts: those on the approver's account that count
        """
        own = {approver.id, proposer.id}
        lately = moment - _LATELY
        thirds = {
            act.actor_id: act.actor_login
            for act in acts
            if act.kind in _OPENING and act.date >= lately and act.actor_id not in own
        }
        act = self.sudo().search(
            [
                ("account_id", "=", proposer.id),
                ("actor_id", "in", list(thirds)),
                ("kind", "in", _OPENING),
                ("date", ">=", lately),
                ("in_setup", "=", False),
            ],
            limit=1,
        )
        if not act:
            return ""
        return self.env._(
            "%(login)s had a hand in both your accounts", login=act.actor_login
        )
