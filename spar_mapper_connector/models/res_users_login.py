from collections.abc import Iterable

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..lib.settings_seal import LOGIN_TAKEN, OF_A_WEBSITE


class ResUsers(models.Model):
    """The login of a member of staff is theirs alone, in any spelling.

    With websites there can be an account with the same login on each of them, and Odoo
    looks for that of the website first. Whoever signs up with the login of an officer
    would keep the officer from logging in. Staff are all internal users, and whoever
    has a role.
    """

    _name = "res.users"
    _inherit = ["res.users"]

    @api.constrains("login", "group_ids")
    def _check_login_of_staff(self):
        """Raise ValidationError if one of two accounts with a login is of staff."""
        taken = self._find_taken_logins(self.ids)
        taken += self._find_taken_logins(None, self._search_staff() & self)
        if taken:
            raise ValidationError(
                self.env._(
                    "There is already an account with the login %(login)s. Choose "
                    "another login.",
                    login=self.sudo().browse(taken[0]).login,
                )
            )

    @api.model
    def _search_staff(self):
        """Return all internal users and those with a role, archived ones too."""
        internal = self.env["ir.model.data"]._xmlid_to_res_id("base.group_user")
        groups = [internal, *self.env["res.groups"]._get_spar_role_ids()]
        users_sudo = self.sudo().with_context(active_test=False)
        return users_sudo.search([("all_group_ids", "in", groups)])

    @api.model
    def _find_taken_logins(self, ids: Iterable[int] | None, staff=None) -> list[int]:
        """Return the IDs of accounts with the login of another one, which is of staff.

        :param ids: the accounts to look at; None for all
        :param staff: whose logins count; None for those of all staff
        """
        staff = self._search_staff() if staff is None else staff
        if not staff:
            return []
        self.env["res.users"].flush_model(["login"])
        query = SQL(
            """SELECT DISTINCT u.id FROM res_users u JOIN res_users s
                   ON lower(btrim(s.login)) = lower(btrim(u.login)) AND s.id <> u.id
                WHERE s.id = ANY(%s) AND %s ORDER BY u.id""",
            staff.ids,
            SQL("true") if ids is None else SQL("u.id = ANY(%s)", list(ids)),
        )
        return [user_id for (user_id,) in self.env.execute_query(query)]

    @api.model
    def _check_each(self):
        """Name accounts from before this was refused, and those that SQL makes."""
        found = super()._check_each()
        found += [
            (self._table, row_id, LOGIN_TAKEN)
            for row_id in self._find_taken_logins(None)
        ]
        if "website_id" in self._fields:
            bound = self._search_staff().filtered("website_id")
            found += [(self._table, row_id, OF_A_WEBSITE) for row_id in bound.ids]
        return found

    # === LOGGING IN === #

    @api.model
    def _find_staff_account(self, login: str):
        """Return the active account of staff with exactly this login, if there is one.

        One with a role comes before others.
        """
        users_sudo = self.sudo().search([("login", "=", login)], order="id")
        roles = users_sudo._filter_roles()
        return (roles or users_sudo.filtered(lambda user: user._is_internal()))[:1]

    def _register_hook(self):
        result = super()._register_hook()
        _look_for_staff_first(self.env.registry[self._name])
        return result


def _look_for_staff_first(model: type) -> None:
    """Have Odoo find staff by their login before the methods of all addons.

    That of websites leaves out whoever does not belong to the request's.
    """

    def _get_login_domain(self, login):
        if staff := self._find_staff_account(login):
            return Domain("id", "=", staff.id)
        return super(model, self)._get_login_domain(login)

    model._get_login_domain = api.model(_get_login_domain)
