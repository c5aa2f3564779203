from odoo import api, models
from odoo.exceptions import UserError


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """The merging of contacts: what belongs to people follows to the one that stays.

    Odoo gives rows another person by SQL. Sealed values do not open there any more, so
    they are opened before and sealed again after it.
    """

    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        people = self.env["res.partner"].browse(partner_ids).exists()
        concerned = people._find_registered()
        if len(people) > 1:
            people._check_households_kept()
        names = self.env["spar.person.name"]
        # A person has one row of keys: a second one cannot follow.
        names._forget(people)
        if len(people) > 1 and concerned:
            result = self._merge_registered(
                people, dst_partner, extra_checks, concerned
            )
        else:
            result = super()._merge(partner_ids, dst_partner, extra_checks)
        names._index(people.exists())
        return result

    def _merge_registered(self, people, dst_partner, extra_checks, concerned):
        """Merge contacts of whom at least one is registered."""
        people._check_may_decide()
        self._check_queues(people)
        kept = dst_partner if dst_partner and dst_partner in people else None
        kept = kept or self._get_ordered_partner(people.ids)[-1]
        self._archive_ids(people - kept, kept)
        sealed = self._open_sealed(people - kept)
        self._end_duplicates(people - kept, kept)
        result = super()._merge(people.ids, kept, extra_checks)
        self.env.invalidate_all()
        for rows, texts in sealed:
            for row in rows.filtered(lambda one, texts=texts: one.id in texts):
                row._write_sealed(texts[row.id])
        if len(concerned) > 1:
            self.env["spar.life.events"]._propose(kept, "merged")
        return result

    @api.model
    def _archive_ids(self, people, kept) -> None:
        """Archive the IDs that would follow to a person who has one of their own.

        The person is paid by the same ID as before. Another one takes two people: see
        the tasks that this opens.
        """
        identities_sudo = self.env["spar.person.identity"].sudo()
        if identities_sudo.search_count([("partner_id", "=", kept.id)], limit=1):
            identities_sudo.search([("partner_id", "in", people.ids)]).active = False

    @api.model
    def _check_queues(self, people) -> None:
        """Raise UserError if accounts of more than one of them are on their way."""
        entries_sudo = self.env["spar.outbox.entry"].sudo()
        open_sudo = entries_sudo.search(
            [
                ("partner_id", "in", people.ids),
                ("state", "in", entries_sudo._get_open_states()),
            ]
        )
        if len(open_sudo.partner_id) > 1:
            raise UserError(
                self.env._(
                    "You cannot merge these contacts now because accounts of more than "
                    "one of them wait in the outbox. Merge them once these are "
                    "confirmed or given up."
                )
            )

    @api.model
    def _open_sealed(self, people) -> list[tuple]:
        """Return the rows sealed for these people, each model's with their texts."""
        sealed = []
        for name in sorted(self.env.registry["spar.of.person"]._inherit_children):
            rows_sudo = self.env[name].sudo().with_context(active_test=False)
            if "partner_id" not in getattr(rows_sudo, "_seal_context_columns", ()):
                continue
            found_sudo = rows_sudo.search([("partner_id", "in", people.ids)])
            sealed.append((found_sudo, found_sudo._read_sealed_rows()))
        return sealed

    @api.model
    def _end_duplicates(self, people, kept) -> None:
        """End memberships and tasks that the remaining contact has as well.

        A second one of the same programme cannot follow.
        """
        members_sudo = self.env["spar.programme.member"].sudo()
        members_sudo = members_sudo.with_context(active_test=False)
        known_sudo = {
            member_sudo.programme_id: member_sudo
            for member_sudo in members_sudo.search([("partner_id", "=", kept.id)])
        }
        for member_sudo in members_sudo.search([("partner_id", "in", people.ids)]):
            first_sudo = known_sudo.setdefault(member_sudo.programme_id, member_sudo)
            if first_sudo != member_sudo:
                first_sudo.recipient_id = (
                    first_sudo.recipient_id or member_sudo.recipient_id
                )
                first_sudo.active = first_sudo.active or member_sudo.active
                member_sudo.unlink()
        self._end_duplicate_tasks(people, kept)
        self.env.flush_all()

    @api.model
    def _end_duplicate_tasks(self, people, kept) -> None:
        tasks_sudo = self.env["spar.registry.task"].sudo()
        domain = [("state", "not in", ("done", "dismissed"))]
        known = {
            (task_sudo.kind, task_sudo.programme_id.id)
            for task_sudo in tasks_sudo.search([*domain, ("partner_id", "=", kept.id)])
        }
        for task_sudo in tasks_sudo.search([*domain, ("partner_id", "in", people.ids)]):
            key = (task_sudo.kind, task_sudo.programme_id.id)
            if key in known:
                task_sudo._close("done", self.env._("The contacts were merged."))
            known.add(key)
