import logging
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.api import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..exceptions import ServiceUnavailable
from ..expressions import get_person, is_called_from_expression
from ..lib.keyring import bind
from ..lib.settings_seal import ACT_FORGED
from .spar_sealed_storage import add_columns

_logger = logging.getLogger(__name__)

PURPOSE = "act on an account"
#: The columns under an act's MAC: all but the MAC.
_VALUES = "id, account_id, login, kind, actor_id, actor_login, date, in_setup"
#: The MAC is added after the act: an act that was changed does not count.
_GUARD = f"""
    CREATE OR REPLACE FUNCTION spar_account_act_stays() RETURNS trigger AS $$
    BEGIN
        RAISE EXCEPTION 'the log of acts on accounts is never changed or deleted';
    END $$ LANGUAGE plpgsql;
    CREATE OR REPLACE TRIGGER spar_account_act_stays
        BEFORE UPDATE OF {_VALUES} OR DELETE OR TRUNCATE ON spar_account_act
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

    Each act has a MAC, as SQL can add lines. An act without one counts against its
    actor, and never excuses another act.
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
            ("created", "Account created"),
            ("role", "Role assigned"),
            ("login", "Login changed"),
            ("password", "Password set"),
            ("factor", "Second factor changed"),
            ("email", "E-mail address changed"),
            ("reset", "Password reset requested"),
            ("own", "Own password set"),
            ("opened", "Closed account opened"),
        ],
        string="Act",
        required=True,
        readonly=True,
    )
    actor_id = fields.Integer(
        string="Account of the user who did it",
        required=True,
        readonly=True,
        aggregator=None,
    )
    actor_login = fields.Char(string="By", required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    in_setup = fields.Boolean(
        string="During set-up",
        readonly=True,
        help="The act dates from before there were two administrators. It counts until "
        "the account's user has set their own password.",
    )

    is_closed = fields.Boolean(
        string="Closed",
        compute="_compute_is_closed",
        help="The account cannot be used.",
    )

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("mac",))
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
        rows = self.env.cr.execute_values(
            """INSERT INTO spar_account_act (account_id, login, kind, actor_id,
                                             actor_login, date, in_setup) VALUES %s
               RETURNING id""",
            [
                (user.id, user.login, each, actor.id, actor.login, now, in_setup)
                for user, each in acts
            ],
            fetch=True,
        )
        self.browse(act_id for (act_id,) in rows)._seal_acts()
        self.invalidate_model()

    # === MACS === #

    def _seal_acts(self) -> None:
        """Give these acts their MACs.

        Without keys, and in an expression, they get none: those acts are on accounts
        without a role.
        """
        seals_sudo = self.env["spar.settings.seal"].sudo()
        if not seals_sudo._is_needed() or is_called_from_expression():
            return
        try:
            macs = self._build_macs()
        except ServiceUnavailable as error:
            _logger.warning("acts on accounts get no MAC (%s)", error)
            return
        self.env.cr.execute_values(
            """UPDATE spar_account_act a SET mac = v.mac
                 FROM (VALUES %s) v (id, mac) WHERE a.id = v.id""",
            [(act_id, mac) for act_id, (_kept, mac) in macs.items()],
        )

    @api.model
    def _seal_as_they_are(self) -> None:
        """Give all acts their MACs: when keys are made, once, or from a shell."""
        rows = self.env.execute_query(SQL("SELECT id FROM spar_account_act"))
        self.browse(act_id for (act_id,) in rows)._seal_acts()

    def _build_macs(self) -> dict[int, tuple[bytes, bytes]]:
        """Return the MAC that each act has, and the one that it should have, by id."""
        if not self:
            return {}
        keyring = self.env["spar.keyring"]._open()
        query = SQL(
            "SELECT mac, %s FROM spar_account_act WHERE id = ANY(%s)",
            SQL(_VALUES),
            self.ids,
        )
        return {
            values[0]: (
                bytes(kept or b""),
                keyring.mac(PURPOSE, bind(*map(str, values))),
            )
            for kept, *values in self.env.execute_query(query)
        }

    def _filter_genuine(self):
        """Return those of these acts whose MAC is right: the registry noted them."""
        if not self.env["spar.settings.seal"].sudo()._is_needed():
            return self
        macs = self._build_macs()
        return self.filtered(lambda act: macs[act.id][0] == macs[act.id][1])

    @api.model
    def _check_acts(self) -> list[tuple[str, int, str]]:
        """Return the acts on accounts with a role whose MAC is wrong, or missing."""
        holders = self.env["res.users"]._search_role_holders()
        acts_sudo = self.sudo().search([("account_id", "in", holders.ids)])
        forged = acts_sudo - acts_sudo._filter_genuine()
        return [(self._table, act_id, ACT_FORGED) for act_id in sorted(forged.ids)]

    # === CLOSED ACCOUNTS === #

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

        Its owner has requested that change, which another administrator verifies. What
        counts is the account's seal, not this log. Raises UserError for an account that
        was altered past Odoo: only the operator of the server opens that.
        """
        self.ensure_one()
        self.env["spar.setting.change"]._check_administrator()
        user_sudo = self.env["res.users"].sudo().browse(self.account_id).exists()
        persons = user_sudo._filter_roles()._read_doubts().get(user_sudo.id)
        if not persons:
            raise UserError(
                self.env._(
                    "This account was changed outside Odoo. Contact the server's "
                    "operator."
                )
            )
        if self.env.uid in {user_sudo.id, *persons}:
            raise UserError(
                self.env._(
                    "You cannot open this account because it is yours, or you changed "
                    "its second factor, login or password. Ask another administrator."
                )
            )
        user_sudo._seal_credentials()
        self._log(user_sudo, "opened")
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.model
    def _find_dependence(self, approver, proposer, moment: datetime) -> str:
        """Return why the approver may be the proposer; "" if nothing suggests it."""
        acts = self.sudo().search(
            [("account_id", "=", approver.id), ("kind", "=", "created")]
        )
        # SQL can change when the account says that it was created, not what is here.
        created = [approver.sudo().create_date, *acts.mapped("date")]
        if max(created) > moment + _SECOND:
            return self.env._("your account is younger than the change")
        return self._find_doubt(approver, proposer, moment)

    @api.model
    def _find_doubt(
        self, approver, proposer, moment: datetime, trusts_factor=False
    ) -> str:
        """Return why the approver may be the proposer, by acts on their accounts.

        :param trusts_factor: whether an approver with a second factor is in doubt only
            if the proposer acted on that account; who sets the first password of many
            could otherwise be any of them
        """
        if direct := self._find_direct(approver, proposer):
            return direct
        if trusts_factor and approver.sudo()._mfa_type():
            return ""
        return self._find_link(approver, proposer, moment) or self._find_indirect(
            approver, proposer, moment
        )

    @api.model
    def _find_direct(self, approver, proposer) -> str:
        """Return why, if the proposer acted on the approver's account."""
        acts = self.sudo().search([("account_id", "=", approver.id)])
        counting = acts._filter_counting()
        act = counting.filtered(lambda act: act.actor_id == proposer.id)[:1]
        if not act:
            return ""
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        return self.env._(
            "they acted on your account (%(what)s, %(date)s)",
            what=kinds[act.kind],
            date=fields.Date.to_string(act.date),
        )

    @api.model
    def _find_link(self, approver, proposer, moment: datetime) -> str:
        """Return why, if the proposer may have used a link to the approver's password.

        Who sets Odoo's mail server reads the mails with such links. Nobody is logged in
        where they are used.
        """
        is_reader = proposer.sudo().has_group("base.group_system")
        if not is_reader or approver.sudo()._mfa_type():
            return ""
        visitor = self.env.ref("base.public_user")
        acts = self._list_opening(approver.id, moment)
        by_link = acts.filtered(
            lambda act: act.kind == "password" and act.actor_id == visitor.id
        )
        if not by_link:
            return ""
        return self.env._(
            "your password was set by a link in an e-mail, which they may have read, "
            "and you have no second factor"
        )

    @api.model
    def _find_indirect(self, approver, proposer, moment: datetime) -> str:
        """Return why, if one person may lately have logged in as both; else "".

        They gave both accounts another password, factor or address, themselves or by
        other accounts that they can use.
        """
        own = {approver.id, proposer.id}
        theirs = self._find_users_of(approver.id, moment) - {approver.id}
        if proposer.id not in theirs:
            # Who made an account may have it; who lately opened it, has it more likely.
            theirs &= self._find_users_of(proposer.id, moment, made=True)
            theirs |= self._find_users_of(
                approver.id, moment, made=True
            ) & self._find_users_of(proposer.id, moment)
            theirs -= own
        found = self.env["res.users"].sudo().browse(sorted(theirs)).exists()
        if not found:
            return ""
        return self.env._(
            "%(login)s acted on both your accounts, or on accounts that did",
            login=(found & proposer or found)[0].login,
        )

    @api.model
    def _find_users_of(
        self, account_id: int, moment: datetime, made: bool = False
    ) -> set[int]:
        """Return the accounts whose users may use an account, through others too.

        :param made: whether this counts who created the account itself; it always
            counts for the accounts between
        """
        visitor = self.env.ref("base.public_user").id
        found, new = {account_id}, {account_id}
        while new:
            acts = self.browse().concat(
                *(self._list_opening(each, moment, made) for each in new)
            )
            # Who used a link is not known: see ``_find_link``.
            new = {*acts.mapped("actor_id")} - found - {visitor}
            found |= new
            made = True
        return found

    @api.model
    def _list_opening(self, account_id: int, moment: datetime, made: bool = False):
        """Return the acts with which others can have opened an account.

        They did lately, or by a password that its user has not replaced since. Who
        created an account has it until then.
        """
        acts = self.sudo().search([("account_id", "=", account_id)])
        visitor = self.env.ref("base.public_user").id
        replacing = acts.filtered(
            lambda act: act.kind == "own"
            or (act.kind == "password" and act.actor_id == visitor)
        )
        replaced = max(replacing._filter_genuine().ids, default=0)

        def is_opening(act) -> bool:
            if act.kind in _OPENING and act.date >= moment - _LATELY:
                return True
            kinds = ("created", "password") if made else ("password",)
            return act.kind in kinds and act.id > replaced

        return acts.filtered(is_opening)._filter_counting()

    def _filter_counting(self):
        """Return these acts without those that its user's own password has ended.

        That is so for acts of the set-up, if both are genuine.
        """
        own = self.sudo().search(
            [("account_id", "in", self.mapped("account_id")), ("kind", "=", "own")]
        )
        last: dict[int, int] = {}
        for act in own._filter_genuine().sorted("id"):
            last[act.account_id] = act.id
        ended = self.filtered(
            lambda act: act.in_setup and act.id < last.get(act.account_id, 0)
        )
        return self - ended._filter_genuine()
