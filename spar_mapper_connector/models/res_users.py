from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.spar_fa_directory.models.spar_group_log import ADMINISTRATOR

from ..expressions import is_on_command_line
from .spar_second_person import is_approved

#: What of an account lets somebody use it -> what is noted of who sets it.
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


class ResUsers(models.Model):
    """Joining a SPAR group, or one whose members reach code, takes two people.

    As long as fewer than two people ever were administrators of SPAR, Odoo's own gives
    the roles alone: nobody else could yet.
    """

    _name = "res.users"
    _inherit = ["res.users", "spar.second.person"]
    _guarded_fields = ("group_ids",)

    waiting_groups = fields.Char(
        string="Groups that wait for a SPAR administrator",
        compute="_compute_waiting_groups",
        groups="base.group_erp_manager",
    )

    def _compute_waiting_groups(self):
        """What was given and does not count yet, for whoever gave it."""
        for user in self:
            change_sudo = self.env["spar.setting.change"].sudo()._find_naming(user)
            user.waiting_groups = change_sudo.summary or False

    @api.model
    def _concerns(self, vals):
        """Where somebody has, or would get, a role or a group that reaches code."""
        if "group_ids" not in vals:
            return False
        wanted = self.new({"group_ids": vals["group_ids"]}).group_ids._origin
        had = self.sudo().group_ids
        return bool(self._filter_watched(wanted | had))

    def _filter_guarded(self):
        return self._filter_roles()

    def _check_unclaimed(self, vals):
        """People go on working while a role waits; the role is not edited."""
        return super()._check_unclaimed(vals) if "group_ids" in vals else None

    def _is_guarded(self, name, value):
        gained = self._get_chosen(name, value) - self.sudo()[name]
        return bool(self._get_watched(gained))

    @api.model
    def _get_watched(self, groups):
        """Those of ``groups`` that are watched, or bring one along, after set-up."""
        is_set_up = self.env["spar.group.log"].sudo()._is_set_up()
        return self._filter_watched(groups) if is_set_up else groups.browse()

    @api.model
    def _filter_watched(self, groups):
        watched = set(self.env["spar.group.log"].sudo()._get_implying_groups())
        return groups.sudo().filtered(
            lambda group: watched & set((group | group.all_implied_ids).ids)
        )

    def _split(self, vals):
        """Other groups are joined at once, and all are left at once."""
        now, waiting = super()._split(vals)
        if "group_ids" in waiting:
            wanted = self._get_chosen("group_ids", waiting["group_ids"])
            gained = self._get_watched(wanted - self.sudo().group_ids)
            now["group_ids"] = [Command.set((wanted - gained).ids)]
        return now, waiting

    def _write_approved(self, values):
        """A SPAR administrator approves a role, but has no right to edit users."""
        users_sudo = self.sudo()
        return super(ResUsers, users_sudo)._write_approved(values)

    def _describe_records(self, name, value):
        users_sudo = self.sudo()
        return super(ResUsers, users_sudo)._describe_records(name, value)

    def _describe_effect(self, values):
        return []

    # === WHO DID WHAT TO WHOM === #

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.su:
            users = super().create(vals_list)
        else:
            split = [self._split_new(vals) for vals in vals_list]
            users = super().create([now for now, _later in split])
            for user, (_now, later) in zip(users, split, strict=True):
                if later:
                    user.write({"group_ids": later})
        self.env["spar.account.act"]._log(users, "created")
        return users

    @api.model
    def _split_new(self, vals):
        """The values of a new user, and commands that give it what waits."""
        if "group_ids" not in vals:
            return vals, []
        wanted = self.new({"group_ids": vals["group_ids"]}).group_ids._origin
        watched = self._get_watched(wanted)
        now = {**vals, "group_ids": [Command.set((wanted - watched).ids)]}
        return now, [Command.link(group.id) for group in watched]

    def write(self, vals):
        for kind in sorted({_ACTS[name] for name in _ACTS.keys() & vals.keys()}):
            self.env["spar.account.act"]._log(self, kind)
        return super().write(vals)


class ResPartner(models.Model):
    """The e-mail address of an account is its person's: links for a new password go
    there."""

    _inherit = "res.partner"

    def write(self, vals):
        if "email" in vals:
            self._log_act("email")
        if vals.get("signup_type"):
            # What makes a link for a new password.
            self._log_act("reset")
        return super().write(vals)

    def _log_act(self, kind):
        partners_sudo = self.sudo().with_context(active_test=False)
        if users_sudo := partners_sudo.user_ids:
            self.env["spar.account.act"]._log(users_sudo, kind)


class SparGroupLog(models.Model):
    """Whoever would join a watched group past its own form is refused."""

    _inherit = "spar.group.log"

    @api.model
    def _is_set_up(self):
        """Whether two people were administrators of SPAR at any time, and keys exist:
        from then on there is, or was, somebody to approve."""
        if not self.env["spar.settings.seal"].sudo()._is_needed():
            return False
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(ADMINISTRATOR)
        domain = [("group_id", "=", group_id), ("change", "=", "gained")]
        found = self.sudo()._read_group(domain, ["user_id"])
        return len([user for (user,) in found if user]) >= 2

    @api.model
    def _check_gained(self, members):
        """Superuser code of a request is no second person either: a sign-up copies
        whichever account is its template."""
        result = super()._check_gained(members)
        if not members:
            return result
        if not self._is_set_up():
            ids = {user_id for user_id, _group_id in members}
            users_sudo = self.env["res.users"].sudo().browse(ids)
            self.env["spar.account.act"]._log(users_sudo, "role")
        elif not (is_approved(self.env) or self._is_installing()):
            raise UserError(
                self.env._(
                    "Somebody would join a group that decides on money, or that "
                    "reaches code. Give the group on the form of that user: a SPAR "
                    "administrator approves it."
                )
            )
        return result

    @api.model
    def _is_installing(self):
        """Whether the operator of the server does this, or an addon that it has."""
        is_loading = not self.env.registry.ready
        return is_loading or (self.env.su and is_on_command_line())
