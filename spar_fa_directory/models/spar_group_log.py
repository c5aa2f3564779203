from collections.abc import Iterator
from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

# Marks an environment whose changes are already being logged. It is a unique object,
# because external callers can put any value into a context, but not this one.
_LOGGING = object()
#: The roles of the registry of addresses.
SPAR_GROUPS = ("viewer", "officer", "supervisor", "auditor", "administrator")
ADMINISTRATOR = "spar_fa_directory.group_administrator"
#: Groups whose members write code or expressions, or grant rights or change settings:
#: this is as powerful as a role.
CODE_GROUPS = (
    "base.group_system",
    "base.group_erp_manager",
    "website.group_website_designer",
    "website.group_website_restricted_editor",
    "mail.group_mail_template_editor",
)


class SparGroupLog(models.Model):
    """Who joined or left a SPAR group or one whose members reach code; append-only.

    A group of any addon of SPAR is a SPAR group. A membership is logged however it came
    about. A line is also written for a group that is implied by another one (an officer
    is a viewer), and when a group starts or stops implying a SPAR group.
    """

    _name = "spar.group.log"
    _description = "SPAR Group Membership Log"
    _order = "id desc"
    _rec_name = "login"

    user_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    login = fields.Char(required=True, readonly=True)
    group_id = fields.Many2one("res.groups", readonly=True, ondelete="set null")
    group_name = fields.Char(string="Group name", required=True, readonly=True)
    change = fields.Selection(
        [("gained", "Gained"), ("lost", "Lost")], required=True, readonly=True
    )
    actor_id = fields.Many2one(
        "res.users", string="Changed by", readonly=True, ondelete="set null"
    )
    actor_login = fields.Char(string="Actor login", required=True, readonly=True)
    date = fields.Datetime(
        required=True, readonly=True, default=lambda self: self._default_date()
    )

    @api.model
    def _default_date(self):
        return fields.Datetime.now()

    def write(self, vals):
        self._refuse_change()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_uninstall(self):
        self._refuse_change()

    def _refuse_change(self):
        raise AccessError(
            self.env._("The log of SPAR groups cannot be changed or deleted.")
        )

    @api.model
    @contextmanager
    def _log_changes(self, records: models.Model) -> Iterator[models.Model]:
        """Log changes that the body makes to the members of the SPAR groups.

        The body must use the records that it receives. Nested changes are left to the
        outermost call, so that each change is logged once.
        """
        if self.env.context.get("spar_group_log") is _LOGGING:
            yield records
            return
        before, implying = self._get_members(), self._get_implications()
        yield records.with_context(spar_group_log=_LOGGING)
        after = self._get_members()
        self._check_implied(self._get_implications() - implying)
        self._check_gained(after - before)
        self._log(after - before, "gained")
        self._log(before - after, "lost")

    @api.model
    def _check_gained(self, members: set[tuple[int, int]]) -> None:
        """Refuse what no user may do alone; overridden where two people are needed."""

    @api.model
    def _check_implied(self, implications: set[tuple[int, int]]) -> None:
        """Refuse groups that come to imply a SPAR group; overridden likewise.

        :param implications: pairs of (group ID, SPAR group ID)
        """

    @api.model
    def _get_implications(self) -> set[tuple[int, int]]:
        """Return which groups imply which SPAR groups, as such pairs."""
        implied_by = self._get_implying_groups()
        return {(gid, ours) for ours, gids in implied_by.items() for gid in gids}

    @api.model
    def _get_members(self) -> set[tuple[int, int]]:
        """Return the members of each SPAR group, direct or through another group.

        :return: pairs of (user ID, SPAR group ID)
        """
        implied_by = self._get_implying_groups()
        groups = tuple({gid for gids in implied_by.values() for gid in gids})
        if not groups:
            return set()
        rows = self.env.execute_query(
            SQL("SELECT uid, gid FROM res_groups_users_rel WHERE gid IN %s", groups)
        )
        return {
            (uid, spar_gid)
            for uid, gid in rows
            for spar_gid, gids in implied_by.items()
            if gid in gids
        }

    @api.model
    def _get_implying_groups(self) -> dict[int, set[int]]:
        """Return for each SPAR group the IDs of the groups whose members are in it."""
        definitions = self.env["res.groups"]._get_group_definitions()
        find = self.env["ir.model.data"]._xmlid_to_res_id
        ours = self.env["res.groups"]._find_spar_names()
        found = (*ours.values(), *(find(name) for name in CODE_GROUPS))
        return {gid: {gid, *definitions.get_subset_ids([gid])} for gid in found if gid}

    @api.model
    def _log(self, members: set[tuple[int, int]], change: str) -> None:
        """Add a line for each member; no user has the right to do so directly."""
        users_sudo = self.env["res.users"].sudo().browse({uid for uid, _ in members})
        groups_sudo = self.env["res.groups"].sudo().browse({gid for _, gid in members})
        # A line cannot refer to a user or group that has been deleted.
        users, groups = set(users_sudo.exists().ids), set(groups_sudo.exists().ids)
        lines = [
            self._prepare_line(users_sudo.browse(uid), groups_sudo.browse(gid), change)
            for uid, gid in sorted(members)
            if uid in users and gid in groups
        ]
        if not lines:
            return
        # Past the ORM: every user is logged, and no user has the right to write it.
        self.env.flush_all()
        self.env.cr.execute_values(
            """INSERT INTO spar_group_log (user_id, login, group_id, group_name, change,
                                           actor_id, actor_login, date) VALUES %s""",
            lines,
        )
        self.invalidate_model()

    @api.model
    def _prepare_line(self, user, group, change: str) -> tuple:
        return (
            user.id,
            user.login,
            group.id,
            group.with_context(lang=None).name,
            change,
            self.env.uid,
            self.env.user.login,
            self._default_date(),
        )
