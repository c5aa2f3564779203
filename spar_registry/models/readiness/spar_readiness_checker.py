import logging
from collections.abc import Collection

import psycopg2

from odoo import api, models
from odoo.fields import Domain

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier, MapperError
from odoo.addons.spar_mapper_connector.transactions import STOPPED

from ...exceptions import NoIdentity, SharedIdentity
from ...lib.calls import build_call
from ...lib.identity import RegistryIdentity
from ...lib.readiness import (
    Finding,
    ReadinessState,
    match_standings,
    read_standing,
)

_logger = logging.getLogger(__name__)

_HIDDEN = Finding(ReadinessState.ERROR, "hidden")


class SparReadinessChecker(models.AbstractModel):
    """Whether people can be paid now, for many of them at once.

    It runs as the user who wants to know: their own people only. The number of
    statements does not depend on the number of people.
    """

    _name = "spar.readiness.checker"
    _description = "Check of payment readiness"

    @api.model
    def _check_people(
        self, person_ids: list[int], programme
    ) -> tuple[dict[int, Finding], dict[int, int]]:
        """Return what is known of each person, and who is paid for them, by row id."""
        seen = self._get_seen(person_ids)
        people = self.env["res.partner"].browse(seen)
        payees = programme._find_payees(people)
        wanted = set(payees.values())
        if not wanted <= seen:
            wanted = self._get_seen(wanted)
        chosen, refused = self._choose_identities(sorted(wanted), programme)
        found = self._ask(list(chosen.values()), programme.purpose or "")
        findings = dict.fromkeys(person_ids, _HIDDEN)
        findings |= dict.fromkeys(seen, Finding(ReadinessState.NO_PAYEE))
        for person_id, payee_id in payees.items():
            identity = chosen.get(payee_id)
            findings[person_id] = (
                found[identity.id_value] if identity else refused.get(payee_id, _HIDDEN)
            )
        paid = {person: payee for person, payee in payees.items() if payee in wanted}
        return findings, paid

    @api.model
    def _get_seen(self, person_ids: Collection[int]) -> set[int]:
        """Return those of these people whom the user may read."""
        people = self.env["res.partner"].with_context(active_test=False)
        query = people._search(Domain("id", "in", list(person_ids)))
        return set(query.get_result_ids())

    @api.model
    def _choose_identities(
        self, payee_ids: list[int], programme
    ) -> tuple[dict[int, RegistryIdentity], dict[int, Finding]]:
        """Return the ID by which each payee is paid, and why others have none."""
        type_ids = programme.id_type_ids.ids
        chosen, refused = {}, {}
        payees = self.env["res.partner"].browse(payee_ids)
        found = payees.with_context(prefetch_fields=True)._spar_identities()
        for payee_id, identities in found.items():
            try:
                identity = payees._spar_choose_identity(identities, type_ids)
            except NoIdentity:
                refused[payee_id] = Finding(ReadinessState.NO_IDENTITY)
            except SharedIdentity:
                refused[payee_id] = Finding(ReadinessState.SHARED_IDENTITY)
            else:
                chosen[payee_id] = identity
        return chosen, refused

    # === IDS FROM A FILE === #

    @api.model
    def _check_ids(
        self, texts: dict[int, str], id_type, programme
    ) -> tuple[dict[int, Finding], dict[int, int]]:
        """Return what is known of each ID, and the contact who has it, by row id.

        An ID that no contact has is asked for as well; one of a contact whom the user
        may not read is not.
        """
        findings: dict[int, Finding] = {}
        identities = self._read_ids(texts, id_type)
        for row_id in texts.keys() - identities.keys():
            findings[row_id] = Finding(ReadinessState.INVALID_ID)
        owners = self._find_owners(identities)
        asked, people = {}, {}
        for row_id, identity in identities.items():
            finding, partner_id = owners[identity.id_value]
            if partner_id:
                people[row_id] = partner_id
            if finding:
                findings[row_id] = finding
            else:
                asked[row_id] = identity
        found = self._ask(list(asked.values()), programme.purpose or "")
        for row_id, identity in asked.items():
            findings[row_id] = found[identity.id_value]
        return findings, people

    @api.model
    def _read_ids(self, texts: dict[int, str], id_type) -> dict[int, RegistryIdentity]:
        """Return the IDs in canonical form, without those that are none."""
        identities = {}
        for row_id, text in texts.items():
            try:
                found = self.env["spar.id.type"]._identify(id_type._write_id(text))
            except InvalidIdentifier:
                continue
            identities[row_id] = RegistryIdentity(0, 0, found.type_id, found.canonical)
        return identities

    @api.model
    def _find_owners(
        self, identities: dict[int, RegistryIdentity]
    ) -> dict[str, tuple[Finding | None, int | None]]:
        """Return the contact who has each ID, and why it is not asked for, if so.

        Everybody's contacts are searched: an ID of a contact whom the user may not read
        is none of their own.
        """
        partners = self.env["res.partner"]
        id_values = list(dict.fromkeys(one.id_value for one in identities.values()))
        owners = partners.sudo()._spar_find_by_ids(id_values)
        everybody = {row_id for found in owners.values() for row_id in found}
        seen = self._get_seen(everybody)
        payable = partners.browse(seen)._spar_payable()
        return {
            id_value: self._judge_owners(set(found), seen, payable)
            for id_value, found in owners.items()
        }

    @api.model
    def _judge_owners(
        self, owners: set[int], seen: set[int], payable: set[int]
    ) -> tuple[Finding | None, int | None]:
        if not owners:
            return None, None
        if owners - seen:
            return _HIDDEN, None
        if len(owners) > 1:
            return Finding(ReadinessState.SHARED_IDENTITY), None
        (owner,) = owners
        if owner not in payable:
            return Finding(ReadinessState.NO_PAYEE), owner
        return None, owner

    # === ASKING === #

    @api.model
    def _ask(
        self, identities: list[RegistryIdentity], purpose: str
    ) -> dict[str, Finding]:
        """Return what the mappers say of each ID; it never fails because of them."""
        by_type: dict[int, set[str]] = {}
        for identity in identities:
            by_type.setdefault(identity.type_id, set()).add(identity.id_value)
        findings: dict[str, Finding] = {}
        by_mapper: dict[tuple, set[str]] = {}
        for type_id, id_values in by_type.items():
            try:
                mapper_sudo = self._get_mapper_sudo(type_id)
            except MapperError:
                findings |= _fail_all(id_values, "unavailable")
            else:
                key = (mapper_sudo._name, mapper_sudo.id)
                by_mapper.setdefault(key, set()).update(id_values)
        for (name, backend_id), id_values in by_mapper.items():
            mapper_sudo = self.env[name].sudo().browse(backend_id)
            findings |= self._ask_mapper(mapper_sudo, sorted(id_values), purpose)
        return findings

    @api.model
    def _get_mapper_sudo(self, type_id: int):
        """Return the mapper for IDs of a type; a user is no channel of its own."""
        id_type = self.env["spar.id.type"].browse(type_id)
        return self.env["spar.mapper.backend"]._get_mapper(id_type).sudo()

    @api.model
    def _ask_mapper(
        self, mapper, id_values: list[str], purpose: str
    ) -> dict[str, Finding]:
        """Return what one mapper says of each ID, whatever it does.

        Raises OperationalError if the transaction has to be repeated.
        """
        try:
            with self.env.cr.savepoint(flush=False):
                answer = mapper._standing(build_call(self.env.uid), id_values, purpose)
        except MapperError as error:
            _logger.info("readiness: the mapper does not answer: %s", error.code)
            return _fail_all(id_values, "unavailable")
        except STOPPED:
            return _fail_all(id_values, "late")
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            # Its text may name an ID: only its class is logged.
            _logger.warning("readiness: the mapper failed: %s", type(error).__name__)
            return _fail_all(id_values, "failed")
        standings = match_standings(id_values, purpose, answer)
        return {one: read_standing(standings.get(one)) for one in id_values}


def _fail_all(id_values, reason: str) -> dict[str, Finding]:
    return {each: Finding(ReadinessState.ERROR, reason) for each in id_values}
