from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.models.spar_group_log import ADMINISTRATOR

from ..expressions import (
    is_by_operator,
    is_loading,
    is_loading_ours,
    refuse_expressions,
)
from .spar_second_person import is_approved

#: Fields by which an account can be used -> the act that is noted of the user who sets
#: them.
_ACTS = {
    "login": "login",
    "password": "password",
    "new_password": "password",
    "totp_secret": "factor",
    "auth_passkey_key_ids": "factor",
    "oauth_uid": "login",
    "oauth_provider_id": "login",
    "email": "email",
    "partner_id": "email",
}
#: Fields of a contact that lead to an account's password.
_IDENTIFYING = {"email", "name", "signup_type", "user_ids"}


def _fold_name(name: str) -> str:
    """Return a name as it is compared: without capitals and more than one blank."""
    return " ".join(name.casefold().split())


class ResUsers(models.Model):
    """A second person approves joining a SPAR group, or one whose members reach code.

    They also approve another name of an account with a role: the history shows it. And
    they approve that an archived account with a role is used again.

    Until two different people have been administrators of SPAR, Odoo's own
    administrator assigns the roles alone: no one else can approve them yet.
    """

    _name = "res.users"
    _inherit = ["res.users", "spar.second.person"]
    _guarded_fields = ("active", "group_ids", "name")

    waiting_groups = fields.Char(
        string="Changes that wait for a SPAR administrator",
        compute="_compute_waiting_groups",
        groups="base.group_erp_manager",
    )

    def _compute_waiting_groups(self):
        """Describe what was given to the user but waits for approval."""
        for user in self:
            change_sudo = self.env["spar.setting.change"].sudo()._find_naming(user)
            user.waiting_groups = change_sudo.summary or False

    @api.model
    def _concerns(self, vals):
        """Return whether two people decide on ``vals``.

        That is so for users who have or would get a role or group that reaches code,
        and for another name of an account with a role, or its revival.
        """
        if self._is_renaming(vals) or self._is_reviving(vals):
            return True
        if "group_ids" not in vals:
            return False
        wanted = self.new({"group_ids": vals["group_ids"]}).group_ids._origin
        had = self.sudo().group_ids
        return bool(self._filter_watched(wanted | had))

    @api.model
    def _is_renaming(self, vals):
        """Return whether ``vals`` would give an account with a role another name."""
        if "name" not in vals:
            return False
        users_sudo = self.sudo().filtered(lambda user: user.name != vals["name"])
        return bool(users_sudo._filter_roles())

    @api.model
    def _is_reviving(self, vals):
        """Return whether ``vals`` would open an archived account with a role."""
        if not vals.get("active"):
            return False
        archived_sudo = self.sudo().filtered(lambda user: not user.active)
        return bool(archived_sudo._filter_roles())

    def _filter_guarded(self):
        return self._filter_roles()

    def _check_unclaimed(self, vals):
        """Block only what two people decide: users go on working meanwhile."""
        is_decided = vals.keys() & {"group_ids", "name"} or self._is_reviving(vals)
        return super()._check_unclaimed(vals) if is_decided else None

    def _is_guarded(self, name, value):
        if name in ("active", "name"):
            is_set_up = self.env["spar.group.log"].sudo()._is_set_up()
            is_decided = self._is_renaming if name == "name" else self._is_reviving
            return is_set_up and is_decided({name: value})
        gained = self._get_chosen(name, value) - self.sudo()[name]
        return bool(self._get_watched(gained))

    @api.model
    def _get_watched(self, groups):
        """Return those of ``groups`` that are watched or imply one, after set-up."""
        is_set_up = self.env["spar.group.log"].sudo()._is_set_up()
        return self._filter_watched(groups) if is_set_up else groups.browse()

    @api.model
    def _filter_watched(self, groups):
        watched = set(self.env["spar.group.log"].sudo()._get_implying_groups())
        return groups.sudo().filtered(
            lambda group: watched & set((group | group.all_implied_ids).ids)
        )

    def _split(self, vals):
        """Write at once other groups that are joined, and all that are left."""
        now, waiting = super()._split(vals)
        if "group_ids" in waiting:
            wanted = self._get_chosen("group_ids", waiting["group_ids"])
            gained = self._get_watched(wanted - self.sudo().group_ids)
            now["group_ids"] = [Command.set((wanted - gained).ids)]
        return now, waiting

    def _write_approved(self, values):
        """Write as superuser: the approver of a role has no right to edit users."""
        users_sudo = self.sudo()
        return super(ResUsers, users_sudo)._write_approved(values)

    def _describe_records(self, name, value):
        users_sudo = self.sudo()
        return super(ResUsers, users_sudo)._describe_records(name, value)

    def _describe_effect(self, values):
        """Say whose account it is, and what the chosen groups bring along.

        Somebody may have the name of another member of staff.
        """
        lines = [self.env._("Login: %(login)s", login=self.sudo().login)]
        if same := self._find_namesakes(values.get("name") or self.sudo().name):
            logins = ", ".join(same.mapped("login"))
            lines.append(
                self.env._(
                    "Other accounts with a role have this name, too: %(logins)s",
                    logins=logins,
                )
            )
        return lines + self._describe_implied(values)

    def _find_namesakes(self, name: str):
        """Return the other accounts with a role whose name reads the same."""
        wanted = _fold_name(name)
        others = self._search_role_holders() - self
        return others.filtered(lambda user: _fold_name(user.name) == wanted)

    def _describe_implied(self, values) -> list[str]:
        """Name the roles, and groups that reach code, that other groups include."""
        if "group_ids" not in values:
            return []
        chosen = self._get_chosen("group_ids", values["group_ids"]).sudo()
        had = self.sudo().all_group_ids
        implied = self._filter_watched(chosen.all_implied_ids - chosen - had)
        if not implied:
            return []
        names = ", ".join(implied.mapped("display_name"))
        return [self.env._("Included in these groups: %(groups)s", groups=names)]

    # === ACTS ON ACCOUNTS === #

    @api.model_create_multi
    def create(self, vals_list):
        if self.env["spar.group.log"]._is_installing():
            users = super().create(vals_list)
        else:
            split = [self._split_new(vals) for vals in vals_list]
            users = super().create([now for now, _later in split])
            for user, (_now, later) in zip(users, split, strict=True):
                # Nobody has asked for what comes with the default groups of superuser
                # code: it is left out.
                if later and not self.env.su:
                    user.write({"group_ids": later})
        users._check_new_contacts()
        acts = self.env["spar.account.act"]
        acts._log(users, "created")
        given = zip(users, vals_list, strict=True)
        opened = [user.id for user, vals in given if vals.get("password")]
        if opened:
            # Whoever chose the first password knows it.
            acts._log(self.browse(opened), "password")
        return users

    @api.model
    def _split_new(self, vals):
        """Return the values of a new user, and commands that add the pending groups."""
        if "group_ids" in vals and self.env.su:
            # A request's superuser code chose them: `_check_gained` decides.
            return vals, []
        if "group_ids" not in vals:
            # Odoo's default groups may bring a watched one along.
            vals = {**vals, **self.default_get(["group_ids"])}
        if not vals.get("group_ids"):
            return vals, []
        wanted = self.new({"group_ids": vals["group_ids"]}).group_ids._origin
        watched = self._get_watched(wanted)
        now = {**vals, "group_ids": [Command.set((wanted - watched).ids)]}
        return now, [Command.link(group.id) for group in watched]

    def write(self, vals):
        kinds = {_ACTS[name] for name in _ACTS.keys() & vals.keys()}
        if kinds and self.sudo()._filter_roles():
            refuse_expressions()
        if "partner_id" in vals:
            self._check_own_contact(vals["partner_id"])
        if vals.keys() & {"login", "partner_id"} and not self.env.su:
            # What a second person reads of an account stays until they decide.
            super()._check_unclaimed(vals)
        if self == self.env.user and self._is_renaming(vals):
            self._check_own_name()
        if self.env.su and self._is_reviving(vals):
            # Code of Odoo opens accounts, such as that of a contact with portal access.
            self._check_two_people()
        for kind in sorted(kinds):
            self.env["spar.account.act"]._log(self, kind)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_staff(self):
        """Raise UserError for an account that has or had a role in SPAR.

        The history and the logs name it. Without the accounts of its administrators, a
        database would look as if it had yet to be set up.
        """
        if self.env["spar.group.log"]._is_installing():
            return
        log_sudo = self.env["spar.group.log"].sudo()
        roles = self.env["res.groups"]._get_spar_role_ids()
        had = [("user_id", "in", self.ids), ("group_id", "in", list(roles))]
        if self.sudo()._filter_roles() or log_sudo.search_count(had, limit=1):
            raise UserError(
                self.env._(
                    "An account that has or had a role in SPAR cannot be deleted: "
                    "the history names it. Archive it."
                )
            )

    def _check_own_contact(self, partner_id) -> None:
        """Raise UserError if an account with a role would share its contact.

        The contact holds the name that the history shows, and the e-mail address.
        """
        changed = self.sudo().filtered(lambda user: user.partner_id.id != partner_id)
        wanted = self.env["res.partner"].browse(partner_id)
        if changed and (changed._filter_roles() or wanted._find_roles()):
            self._check_two_people()

    def _check_own_contacts(self) -> None:
        """Raise UserError if others have the contact of one of these accounts.

        They could change its e-mail address, as their own.
        """
        for user in self:
            partner_sudo = user.sudo().partner_id.with_context(active_test=False)
            if others := partner_sudo.user_ids - user:
                raise UserError(
                    self.env._(
                        "%(login)s cannot get a role: the account %(others)s has the "
                        "same contact. Give each account a contact of its own first.",
                        login=user.login,
                        others=", ".join(others.mapped("login")),
                    )
                )

    def _check_new_contacts(self) -> None:
        """Raise UserError if new accounts have the contact of one with a role."""
        partners_sudo = self.sudo().partner_id.with_context(active_test=False)
        if (partners_sudo.user_ids - self.sudo())._filter_roles():
            self._check_two_people()

    def _check_own_name(self) -> None:
        """Raise UserError for users with a role who may not propose another name."""
        if not self.env.su and not self.has_access("write"):
            self._check_two_people()

    @api.model
    def _check_two_people(self) -> None:
        """Raise UserError unless two people decided, or none can yet."""
        log = self.env["spar.group.log"]
        if is_approved(self.env) or log._is_installing() or not log._is_set_up():
            return
        raise UserError(
            self.env._(
                "This account has a role in SPAR, and the history shows its name. "
                "Only Odoo's administrator can change it, on the user's own form, and "
                "a SPAR administrator must approve it."
            )
        )


class ResPartner(models.Model):
    """The e-mail address of an account belongs to its person.

    Links for a new password are sent there.
    """

    _inherit = "res.partner"

    def write(self, vals):
        if _IDENTIFYING & vals.keys() and self._find_roles():
            refuse_expressions()
        if "name" in vals and self._find_renamed_roles(vals["name"]):
            self.env["res.users"]._check_two_people()
        if "email" in vals:
            self._log_act("email")
        if vals.get("signup_type"):
            # This makes a link for a new password.
            self._log_act("reset")
        return super().write(vals)

    def _find_renamed_roles(self, name):
        """Return the accounts with a role that would get another name."""
        renamed = self.sudo().filtered(lambda partner: partner.name != name)
        return renamed._find_roles()

    def _find_roles(self):
        """Return the accounts with a role that these partners belong to."""
        partners_sudo = self.sudo().with_context(active_test=False)
        return partners_sudo.user_ids._filter_roles()

    def _log_act(self, kind):
        partners_sudo = self.sudo().with_context(active_test=False)
        if users_sudo := partners_sudo.user_ids:
            self.env["spar.account.act"]._log(users_sudo, kind)


class SparGroupLog(models.Model):
    """A user who would join a watched group past its own form is refused."""

    _inherit = "spar.group.log"

    @api.model
    def _is_set_up(self):
        """Return whether keys exist and two people have been administrators of SPAR.

        From then on there is, or was, a second person to approve.
        """
        if not self.env["spar.settings.seal"].sudo()._is_needed():
            return False
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(ADMINISTRATOR)
        domain = [("group_id", "=", group_id), ("change", "=", "gained")]
        found = self.sudo()._read_group(domain, ["user_id"])
        if len([user for (user,) in found if user]) >= 2:
            return True
        # SQL can delete lines of this log, but not acts from after the set-up.
        query = SQL(
            "SELECT EXISTS (SELECT FROM spar_account_act WHERE in_setup IS FALSE)"
        )
        return bool(self.env.execute_query(query)[0][0])

    @api.model
    def _check_gained(self, members):
        """Refuse members that superuser code of a request adds.

        It is no second person either: a sign-up copies any account that is its
        template.
        """
        result = super()._check_gained(members)
        if not members:
            return result
        ids = {user_id for user_id, _group_id in members}
        users_sudo = self.env["res.users"].sudo().browse(ids)
        if not self._is_set_up():
            self.env["spar.account.act"]._log(users_sudo, "role")
            return result
        if not self._may_gain(members):
            raise UserError(
                self.env._(
                    "This would add a user to a group that decides on payments or "
                    "gives access to code. Assign the group on the user's form, where "
                    "a SPAR administrator approves it."
                )
            )
        if not self._is_installing():
            users_sudo._filter_roles()._check_own_contacts()
        return result

    @api.model
    def _check_implied(self, implications):
        """Refuse groups that would bring a role, or access to code, along.

        Their members would gain it without being named, and what a second person has
        been shown would change after that.
        """
        result = super()._check_implied(implications)
        if implications and self._is_set_up() and not self._is_brought(implications):
            raise UserError(
                self.env._(
                    "A group cannot include a role of SPAR or a group that gives "
                    "access to code. Assign that group itself on the user's form, "
                    "where a SPAR administrator approves it."
                )
            )
        return result

    @api.model
    def _may_gain(self, members) -> bool:
        """Return whether two people, or files on the server, decided on new members."""
        return is_approved(self.env) or self._is_brought(members)

    @api.model
    def _is_brought(self, pairs) -> bool:
        """Return whether files on the server decided on members or implying groups.

        An addon of Odoo brings groups that reach code, with their members, but no role.

        :param pairs: the ID of a member, or implying group, and of the SPAR group
        """
        if self._is_installing():
            return True
        roles = self.env["res.groups"]._get_spar_role_ids()
        return is_loading(self.env) and not any(gid in roles for _id, gid in pairs)

    @api.model
    def _is_installing(self):
        """Return whether the server's operator does this, or an addon of ours."""
        return is_loading_ours(self.env) or (self.env.su and is_by_operator(self.env))
