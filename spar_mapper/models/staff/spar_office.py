from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...fields import StoreMany2one
from ...lib.records import new_uuid


class SparOffice(models.Model):
    """A caseload: the people for whom some of the staff are responsible.

    Staff who belong to offices see the people of those offices, and people without an
    office; staff of no office see everybody. Two administrators decide who belongs to
    one.
    """

    _name = "spar.office"
    _description = "Office"
    _inherit = ["spar.second.person", "spar.sealed.setting"]
    _guarded_fields = ("member_ids", "active")
    _guarded_at_creation = ("member_ids",)
    _sealed_fields = ("uuid",)
    _order = "name"

    name = fields.Char(required=True, translate=True)
    uuid = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: new_uuid(),
    )
    active = fields.Boolean(default=True)
    member_ids = fields.Many2many(
        "res.users", "spar_office_user_rel", string="Staff", copy=False
    )
    people_count = fields.Integer(string="People", compute="_compute_people_count")

    _uuid_uniq = models.UniqueIndex("(uuid)", "The UUID of an office must be unique.")

    def _compute_people_count(self):
        groups = self.env["spar.office.person"]._read_group(
            [("office_id", "in", self.ids)], ["office_id"], ["__count"]
        )
        counts = {office.id: count for office, count in groups}
        for office in self:
            office.people_count = counts.get(office.id, 0)

    @api.model_create_multi
    def create(self, vals_list):
        offices = super().create(vals_list)
        self.env.registry.clear_cache()
        return offices

    def write(self, vals):
        if not self.env.su and "uuid" in vals:
            raise AccessError(self.env._("The UUID of an office cannot be changed."))
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    @api.model
    def _find_for_user(self, user):
        """Return the offices to which a user belongs, archived ones too.

        Whoever belongs to no office sees everybody: archiving one opens nothing.
        """
        offices_sudo = self.sudo().with_context(active_test=False)
        return offices_sudo.search([("member_ids", "in", user.ids)])


class SparOfficePerson(models.Model):
    """A person's office; the history records who decided that, and when.

    A person without a row belongs to no office, and is seen by everybody.
    """

    _name = "spar.office.person"
    _description = "Person of an office"
    _inherit = ["spar.store.table"]
    _log_access = False
    _references = {"subject_id": "spar_subject"}
    _refuses_delete = "people leave an office by an event of their history"

    subject_id = StoreMany2one(
        "spar.subject", required=True, readonly=True, ondelete="restrict"
    )
    office_id = fields.Many2one(
        "spar.office", readonly=True, ondelete="restrict", index=True
    )
    seq = fields.Integer(
        required=True,
        readonly=True,
        aggregator=None,
        help="The event that records this.",
    )

    _subject_uniq = models.UniqueIndex(
        "(subject_id)", "A person can belong to only one office."
    )
