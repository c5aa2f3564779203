from collections.abc import Iterable
from dataclasses import dataclass

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.expressions import is_called_from_expression

#: The fields of a person whose change may call for a task.
WATCHED = frozenset({"active", "parent_id", "spar_died_on", "spar_head_id"})
#: People or IDs that the nightly job examines in one transaction.
BATCH = 500


@dataclass(frozen=True)
class PersonFacts:
    """What is known of a person before a change."""

    is_active: bool
    is_dead: bool
    household_id: int
    head_id: int


class SparLifeEvents(models.AbstractModel):
    """Events in people's lives, and the tasks that they call for.

    Nothing is unlinked or moved here: each event opens a task for every programme that
    it concerns. The nightly job finds what happened past the ORM, or in an expression.

    Addons for other registries call ``_notice_gone``, ``_notice_identity`` and
    ``_check_heads`` when theirs change, and extend ``_notice_expired``.
    """

    _name = "spar.life.events"
    _description = "Events in people's lives"

    # === WHOM IT CONCERNS === #

    @api.model
    def _find_concerned(self, people) -> dict[int, set[int]]:
        """Return the programmes that an event of each person concerns, by row id.

        Those of whom the person is a member, a recipient or a payee; 0 stands for no
        programme. People who have neither a programme nor an ID are omitted.
        """
        ids = list(people.ids)
        self.env.flush_all()
        query = SQL(
            """SELECT partner_id, programme_id FROM spar_programme_member
                WHERE partner_id = ANY(%(ids)s) AND active
                UNION
               SELECT recipient_id, programme_id FROM spar_programme_member
                WHERE recipient_id = ANY(%(ids)s) AND active
                UNION
               SELECT partner_id, coalesce(programme_id, 0) FROM spar_payment_account
                WHERE partner_id = ANY(%(ids)s)
                UNION
               SELECT payee_id, coalesce(programme_id, 0) FROM spar_payment_account
                WHERE payee_id = ANY(%(ids)s)""",
            ids=ids,
        )
        found: dict[int, set[int]] = {}
        for person_id, programme_id in self.env.execute_query(query):
            found.setdefault(person_id, set()).add(programme_id)
        for person_id, identities in people.sudo()._spar_identities().items():
            if identities:
                found.setdefault(person_id, {0})
        # A task without a programme is for people who have none.
        return {
            person_id: programmes - {0} or {0}
            for person_id, programmes in found.items()
        }

    @api.model
    def _propose(self, people, kind: str, reason: str = ""):
        """Open a task about each person in each programme that it concerns."""
        opened = self.env["spar.registry.task"].sudo()
        for person_id, programmes in self._find_concerned(people).items():
            person = people.browse(person_id)
            opened |= self._open_tasks(person, programmes, kind, reason)
        return opened

    @api.model
    def _open_tasks(self, person, programmes: set[int], kind: str, reason: str = ""):
        """Open a task about a person in each programme; 0 stands for none."""
        tasks = self.env["spar.registry.task"]
        opened = tasks.sudo()
        for programme_id in sorted(programmes):
            programme = self.env["spar.programme"].browse(programme_id or ())
            opened |= tasks._propose(kind, person, programme, reason=reason)
        return opened

    # === CHANGES OF A PERSON === #

    @api.model
    def _observe(self, people) -> dict[int, PersonFacts]:
        """Return the facts about people before they are written."""
        people_sudo = people.sudo()
        return {
            person_sudo.id: PersonFacts(
                person_sudo.active,
                bool(person_sudo.spar_died_on),
                person_sudo.parent_id.id or 0,
                person_sudo.spar_head_id.id or 0,
            )
            for person_sudo in people_sudo
        }

    @api.model
    def _compare(self, people, before: dict[int, PersonFacts]) -> None:
        """Open the tasks for what has changed.

        An expression cannot open one: the nightly job does.
        """
        if is_called_from_expression():
            return
        after = self._observe(people)
        changed = [
            (before[row_id], after[row_id], people.browse(row_id)) for row_id in after
        ]
        died = [who for old, new, who in changed if new.is_dead and not old.is_dead]
        disabled = [
            who
            for old, new, who in changed
            if old.is_active and not new.is_active and not new.is_dead
        ]
        nobody = people.browse()
        self._notice_gone(nobody.concat(*died), "died")
        self._notice_gone(nobody.concat(*disabled), "disabled")
        households = {
            row_id
            for old, new, who in changed
            for row_id in _get_households(old, new, who.id)
        }
        self._check_heads(people.browse(sorted(households)))

    @api.model
    def _notice_gone(self, people, kind: str) -> None:
        """Open the tasks about people who died, or are no longer in use.

        :param kind: ``died`` or ``disabled``
        """
        if not people:
            return
        self._propose(people, kind)
        self._check_heads(people._spar_headed())
        members_sudo = self.env["spar.programme.member"].sudo()
        members_sudo = members_sudo.search([("recipient_id", "in", people.ids)])
        for member_sudo in members_sudo:
            self.env["spar.registry.task"]._propose(
                "no_recipient",
                member_sudo.partner_id,
                member_sudo.programme_id,
                reason=self.env._("The recipient of this member died or is archived."),
            )

    # === HEADS OF HOUSEHOLDS === #

    @api.model
    def _check_heads(self, households) -> None:
        """Open a task for each household in a programme whose head cannot be paid."""
        if not households:
            return
        households_sudo = households.sudo()
        heads = households_sudo._spar_head()
        lost_sudo = households_sudo.filtered(lambda one: one.id not in heads)
        self._propose_heads(
            lost_sudo.sudo(False),
            self.env._("The head has left, died, is archived or was never named."),
        )
        people_sudo = households_sudo.browse(sorted(set(heads.values())))
        identities = people_sudo._spar_identities()
        without = {
            person_sudo.id
            for person_sudo in people_sudo
            if all(one.is_expired for one in identities.get(person_sudo.id, ()))
        }
        unpaid = [row_id for row_id, head_id in heads.items() if head_id in without]
        self._propose_heads(
            households.browse(unpaid), self.env._("The head has no ID in use.")
        )

    @api.model
    def _propose_heads(self, households, reason: str) -> None:
        """Open a task for households in programmes that pay their head."""
        found = self._find_programmes_of_heads(households)
        for household in households:
            for programme in found.get(household.id, ()):
                self.env["spar.registry.task"]._propose(
                    "no_head", household, programme, reason=reason
                )

    @api.model
    def _find_programmes_of_heads(self, households) -> dict:
        """Return the programmes that pay the head of each household, by row id.

        The household, or somebody in it, is a member there.
        """
        domain = Domain("programme_id.payee_rule", "=", "head") & (
            Domain("partner_id", "in", households.ids)
            | Domain("partner_id.parent_id", "in", households.ids)
        )
        members_sudo = self.env["spar.programme.member"].sudo().search(domain)
        found: dict = {}
        for member_sudo in members_sudo:
            person_sudo = member_sudo.partner_id
            for row_id in {person_sudo.id, person_sudo.parent_id.id} & {
                *households.ids
            }:
                known = found.get(row_id, self.env["spar.programme"])
                found[row_id] = known | member_sudo.programme_id.sudo(False)
        return found

    # === IDS === #

    @api.model
    def _notice_identity(self, identity, kind: str) -> None:
        """Open the tasks about an ID that is no longer used, with that ID sealed.

        :param identity: a ``RegistryIdentity``, as it was
        :param kind: ``identity_replaced`` or ``identity_expired``
        """
        person = self.env["res.partner"].browse(identity.partner_id)
        old = [identity.row_id, identity.type_id, identity.id_value]
        concerned = self._find_concerned(person).get(person.id) or {0}
        for task_sudo in self._open_tasks(person, concerned, kind):
            if "old" not in task_sudo._get_ids():
                task_sudo._keep_ids(old=old)
        self._check_heads(person._spar_headed())

    # === EVERY NIGHT === #

    @api.model
    def _cron_notice(self) -> None:
        """Notice IDs that have expired, and people who died or left unnoticed."""
        while examined := self._notice_expired():
            self._commit(examined)
        for kind, condition in _GONE.items():
            while people := self._find_gone(kind, condition):
                self._notice_gone(people, kind)
                self._commit(len(people))

    @api.model
    def _notice_expired(self) -> int:
        """Open the tasks about the next IDs that have expired; return how many.

        Addons for other registries add theirs.
        """
        expired = self._find_expired()
        for identity in expired._open_identities().values():
            self._notice_identity(identity, "identity_expired")
        for identity in expired:
            identity.expiry_noticed = identity.expires_on
        return len(expired)

    @api.model
    def _commit(self, done: int) -> None:
        self.env["ir.cron"]._commit_progress(done)

    @api.model
    def _find_expired(self):
        """Return IDs that have expired since they were last examined."""
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM spar_person_identity
                    WHERE active AND expires_on < %s
                      AND expiry_noticed IS DISTINCT FROM expires_on
                    ORDER BY id LIMIT %s""",
                fields.Date.context_today(self),
                BATCH,
            )
        )
        return self.env["spar.person.identity"].browse([row_id for (row_id,) in rows])

    @api.model
    def _find_gone(self, kind: str, condition: SQL):
        """Return people in a programme who are gone, and about whom there is no task.

        A task that was closed counts, too: somebody has decided.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT p.id FROM res_partner p
                    WHERE %s
                      AND (EXISTS (SELECT FROM spar_programme_member m
                                    WHERE m.partner_id = p.id AND m.active)
                           OR EXISTS (SELECT FROM spar_payment_account a
                                       WHERE a.payee_id = p.id
                                          OR a.partner_id = p.id))
                      AND NOT EXISTS (
                          SELECT FROM spar_registry_task t
                           WHERE t.partner_id = p.id AND t.kind = %s)
                    ORDER BY p.id LIMIT %s""",
                condition,
                kind,
                BATCH,
            )
        )
        return self.env["res.partner"].browse([row_id for (row_id,) in rows])


def _get_households(old: PersonFacts, new: PersonFacts, row_id: int) -> Iterable[int]:
    """Return the households that a change of a person may have left without a head."""
    if old.household_id and old.household_id != new.household_id:
        yield old.household_id
    if old.head_id != new.head_id:
        yield row_id


_GONE = {
    "died": SQL("p.spar_died_on IS NOT NULL"),
    "disabled": SQL("NOT p.active AND p.spar_died_on IS NULL"),
}
