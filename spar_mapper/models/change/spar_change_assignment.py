import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ...fields import BigMany2one
from ...lib.actors import get_doers
from ...lib.assigning import (
    Supervisor,
    Waiting,
    choose_decider,
    find_deputy,
    is_eligible,
)
from .spar_deputy import SUPERVISOR

_logger = logging.getLogger(__name__)

_WAITING = """
    SELECT c.id, c.proposer, c.on_behalf_of, p.office_id, a.user_id
      FROM spar_change c
      JOIN spar_mapping m ON m.id = c.mapping_id
      LEFT JOIN spar_office_person p ON p.subject_id = m.subject_id
      LEFT JOIN spar_change_assignment a ON a.change_id = c.id
     WHERE c.state = 'waiting' AND c.needs_approval
     ORDER BY c.id
"""


class SparChangeAssignment(models.Model):
    """The supervisor who should decide about a waiting change.

    A scheduled job assigns changes, writes to their supervisors, and reminds them. It
    is no right: every supervisor who may see the person may decide.
    """

    _name = "spar.change.assignment"
    _description = "Supervisor of a waiting change"
    _inherit = ["spar.change.listener"]
    _order = "id"
    _rec_name = "user_id"
    _log_access = False

    change_id = BigMany2one(
        "spar.change", required=True, readonly=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users",
        string="Assigned to",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    assigned_at = fields.Datetime(string="Assigned at", required=True, readonly=True)
    notified_at = fields.Datetime(string="Notified at", readonly=True)
    # No relation: activities exist only where Odoo's addon for mail is installed.
    activity_number = fields.Integer(string="Activity", readonly=True)

    _change_uniq = models.UniqueIndex(
        "(change_id)", "A change is assigned to one supervisor at a time."
    )

    # === ASSIGNING === #

    @api.model
    def _cron_assign(self) -> None:
        """Assign what waits, and write to supervisors for whom something is new."""
        self._assign_waiting()
        self._add_activities()
        self._notify_supervisors()

    @api.model
    def _assign_waiting(self) -> None:
        """Assign each waiting change to a supervisor who is here and may decide."""
        deciders = self._get_deciders()
        rows = self.env.execute_query(SQL(_WAITING))
        load: dict[int, int] = {}
        for *_change, user_id in rows:
            if user_id:
                load[user_id] = load.get(user_id, 0) + 1
        for change_id, proposer, behalf, office_id, user_id in rows:
            parties = get_doers(proposer, behalf or "")
            waiting = Waiting(change_id, parties, office_id)
            holder = deciders.get(user_id)
            if self._stays(waiting, holder):
                continue
            deputy_id = find_deputy(waiting, holder, deciders)
            chosen = deputy_id or choose_decider(waiting, deciders, load)
            if chosen and chosen != user_id:
                self._assign(change_id, chosen)
                load[chosen] = load.get(chosen, 0) + 1

    @api.model
    def _stays(self, waiting: Waiting, decider: Supervisor | None) -> bool:
        """Return whether a change stays with the supervisor who has it."""
        is_here = decider is not None and decider.deputy_id is None
        return is_here and is_eligible(waiting, decider)

    @api.model
    def _get_deciders(self) -> dict[int, Supervisor]:
        """Return all supervisors, with their offices and who decides for them now."""
        away = self.env["spar.deputy"]._get_away(fields.Date.today())
        offices = self.env["spar.office"]
        group = self.env.ref(SUPERVISOR)
        users_sudo = self.env["res.users"].sudo()
        found_sudo = users_sudo.search([("all_group_ids", "in", group.ids)])
        return {
            user_sudo.id: Supervisor(
                user_sudo.id,
                frozenset(offices._find_for_user(user_sudo).ids),
                away.get(user_sudo.id),
            )
            for user_sudo in found_sudo
        }

    @api.model
    def _assign(self, change_id: int, user_id: int) -> None:
        """Assign a change, which its new supervisor will be notified of."""
        values = {
            "user_id": user_id,
            "assigned_at": self.env["spar.mapper.local"]._get_now(),
            "notified_at": False,
        }
        assignments_sudo = self.sudo()
        assignment_sudo = assignments_sudo.search([("change_id", "=", change_id)])
        if assignment_sudo:
            assignment_sudo._remove_activities()
            assignment_sudo.write(values)
        else:
            assignments_sudo.create({**values, "change_id": change_id})

    @api.model
    def _reassign(self, changes, user) -> None:
        """Assign changes to another supervisor, as a supervisor.

        Raises AccessError, and UserError for somebody who may not decide about one.
        """
        self.env["spar.mapper.local"]._check_member(SUPERVISOR)
        changes.check_access("read")
        decider = self._get_deciders().get(user.id)
        rows = self.env.execute_query(SQL(_WAITING))
        waiting = {
            change_id: Waiting(change_id, get_doers(proposer, behalf or ""), office_id)
            for change_id, proposer, behalf, office_id, _user in rows
        }
        for change in changes:
            one = waiting.get(change.id)
            if one is None:
                raise UserError(self.env._("This change is no longer waiting."))
            if decider is None or not is_eligible(one, decider):
                raise UserError(
                    self.env._(
                        "%(name)s may not decide about this change: choose a "
                        "supervisor who did not propose it, and whose office has the "
                        "person.",
                        name=user.name,
                    )
                )
            self._assign(change.id, user.id)
        changes.invalidate_recordset(["assignment_ids", "assignee_id"])

    # === ACTIVITIES === #

    @api.model
    def _get_activities_sudo(self):
        """Return the model of activities, or None where it is not installed.

        Nothing of a caller's context decides whether and how an activity is created.
        """
        activities = self.env.get("mail.activity")
        if activities is None:
            return None
        # The e-mail is sent by this model, which names no person in it.
        quick = {"mail_activity_quick_update": True}
        return activities.with_env(self.env(su=True, context=quick))

    @api.model
    def _add_activities(self) -> None:
        """Remind supervisors in Odoo's own list, of each change that waits for them."""
        activities_sudo = self._get_activities_sudo()
        if activities_sudo is None:
            return
        missing_sudo = self.sudo().search(
            [("change_id.state", "=", "waiting"), ("activity_number", "=", 0)]
        )
        for assignment_sudo in missing_sudo:
            user_sudo = assignment_sudo.user_id
            words = self.with_context(lang=user_sudo.lang or self.env.lang)
            change = words.env["spar.change"].browse(assignment_sudo.change_id.id)
            activity_sudo = activities_sudo.create(
                {
                    "user_id": user_sudo.id,
                    "summary": words.env._(
                        "%(change)s waits for your decision",
                        change=change.sudo().display_name,
                    ),
                    "note": Markup('<a href="/odoo/spar-my-work">%s</a>')
                    % words.env._("My work"),
                    "date_deadline": fields.Date.today(),
                }
            )
            assignment_sudo.activity_number = activity_sudo.id

    def _remove_activities(self) -> None:
        activities_sudo = self._get_activities_sudo()
        if activities_sudo is not None:
            numbers = list(filter(None, self.mapped("activity_number")))
            activities_sudo.browse(numbers).exists().unlink()
        self.activity_number = 0

    @api.model
    def _on_changes_ended(self, change_ids):
        """Remove the activities about changes that were decided or have ended."""
        assignments_sudo = self.sudo()
        assignments_sudo.search(
            [("change_id", "in", change_ids), ("activity_number", "!=", 0)]
        )._remove_activities()

    # === WRITING TO SUPERVISORS === #

    @api.model
    def _notify_supervisors(self) -> None:
        """Send each supervisor one e-mail about what is new, or waits for too long."""
        now = self.env["spar.mapper.local"]._get_now()
        days = self.env["spar.limit"]._get_number("approval_reminder_days")
        before = now - timedelta(days=days)
        assignments_sudo = self.sudo()
        due_sudo = assignments_sudo.search(
            [
                ("change_id.state", "=", "waiting"),
                "|",
                ("notified_at", "=", False),
                ("notified_at", "<=", before),
            ]
        )
        for user_sudo, mine_sudo in due_sudo.grouped("user_id").items():
            if self._send_notice(user_sudo, mine_sudo):
                mine_sudo.notified_at = now

    @api.model
    def _send_notice(self, user_sudo, mine_sudo) -> bool:
        """Send an e-mail with a link and no personal data; return whether it went.

        Without an address, or while no mail server answers, the list *My work* is all
        that a supervisor has; it is tried again later.
        """
        if not user_sudo.email:
            return False
        words = self.with_context(lang=user_sudo.lang or self.env.lang)
        servers_sudo = self.env["ir.mail_server"].sudo()
        sender = user_sudo.company_id.email_formatted or user_sudo.email_formatted
        message = servers_sudo._build_email__(
            sender,
            [user_sudo.email],
            words.env._("Changes wait for your decision"),
            words._get_notice_text(user_sudo, len(mine_sudo)),
        )
        try:
            servers_sudo.send_email(message)
        except (MailDeliveryException, UserError) as error:
            _logger.info("no e-mail about waiting changes: %s", type(error).__name__)
            return False
        return True

    @api.model
    def _get_notice_text(self, user_sudo, count: int) -> str:
        base = self.env["spar.page.frame"]._get_staff_base_url()
        return self.env._(
            "Hello %(name)s,\n\nchanges that wait for your decision: %(count)s.\n\n"
            "%(url)s\n\nIf you are away, enter a deputy under My work.",
            name=user_sudo.name,
            count=count,
            url=f"{base}/odoo/spar-my-work",
        )
