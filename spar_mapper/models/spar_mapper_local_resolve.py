from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier, SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Outcome,
    ProviderInfo,
    ResolveRequest,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import seals
from ..lib.found import Found
from .spar_mapper_local import OFFICER

_FOUND_COLUMNS = SQL(
    """i.id AS identifier_id, i.uuid AS identifier_uuid, i.sealed AS identifier_sealed,
       i.active, s.uuid AS subject_uuid, s.change_lock, s.pay_stop,
       m.identifier_id AS sealed_under, m.id, m.uuid, m.version, m.state, m.purpose,
       m.origin, m.sealed, m.provider_id, m.branch_id,
       EXISTS (SELECT FROM spar_event e
                WHERE e.mapping_id = m.id AND e.seq > m.last_seq) AS is_behind"""
)


class SparMapperLocal(models.AbstractModel):
    """Finding addresses by ID, IDs by address, and whether both belong together."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _resolve_fa(
        self, call: CallContext, requests: list[ResolveRequest]
    ) -> list[Result]:
        """See the contract; at most four statements, whatever the number of requests.

        Nothing is answered that does not open in its context: a row that was tampered
        with gives LOCKED and an alarm, never an address.
        """
        self._check_channel(OFFICER)
        keyring = self.env["spar.keyring"]._open()
        identify = self.env["spar.id.type"]._identify
        identifiers = [self._identify_asked(identify, asked) for asked in requests]
        by_id = self._find_by_id(keyring, identifiers)
        by_fa = self._find_by_fa(keyring, call, requests)
        self._add_providers(by_id | by_fa)
        problems: list[tuple[str, int, str]] = []
        results = [
            self._answer(keyring, call, request, identifier, by_id, by_fa, problems)
            for request, identifier in zip(requests, identifiers, strict=True)
        ]
        self.env["spar.alarm"]._raise_alarms(problems)
        return results

    @api.model
    def _identify_asked(self, identify, request: ResolveRequest):
        """The canonical ID, None where none is asked for, or why it cannot be used."""
        if request.id_value is None:
            return None
        try:
            return identify(request.id_value).canonical
        except InvalidIdentifier as error:
            return error

    # === STATEMENTS === #

    @api.model
    def _find_by_id(self, keyring: OpenKeyring, identifiers: list) -> dict:
        """Canonical ID -> rows found for it."""
        wanted = list(dict.fromkeys(i for i in identifiers if isinstance(i, str)))
        if not wanted:
            return {}
        found: dict[str, list[Found]] = {}
        for place, *values in self._fetch_by_id(keyring, wanted):
            found.setdefault(wanted[place - 1], []).append(Found(*values))
        return found

    @api.model
    def _fetch_by_id(self, keyring: OpenKeyring, wanted: list[str]) -> list[tuple]:
        """``(place in wanted from 1, *columns of Found)``.

        LATERAL with LIMIT throughout: one look into an index for each ID and row, in
        tables of any size. Left to itself, PostgreSQL reads the whole of one with some
        100,000 rows, or begins at the wrong end where its statistics are of a time when
        the tables were empty.
        """
        return self.env.execute_query(
            SQL(
                """SELECT wanted.place, %s, u.uuid, u.sealed
                     FROM unnest(%s) WITH ORDINALITY AS wanted (digest, place)
                    CROSS JOIN LATERAL (
                          SELECT * FROM spar_subject_id
                           WHERE %s = wanted.digest LIMIT 1) i
                    CROSS JOIN LATERAL (
                          SELECT * FROM spar_subject WHERE id = i.subject_id LIMIT 1) s
                     LEFT JOIN spar_mapping m ON m.subject_id = s.id
                          AND m.state IN ('active', 'suspended') AND m.rank = 1
                     LEFT JOIN LATERAL (
                          SELECT uuid, sealed FROM spar_subject_id
                           WHERE id = nullif(m.identifier_id, i.id) LIMIT 1) u
                       ON true""",
                _FOUND_COLUMNS,
                list(map(keyring.digester(seals.ID), wanted)),
                SQL.identifier(f"digest_{keyring.roles.read_column}"),
            )
        )

    @api.model
    def _find_by_fa(
        self, keyring: OpenKeyring, call: CallContext, requests: list
    ) -> dict:
        """(Folded address, purpose) -> rows in force, where no ID is asked for.

        At most three: a subject has one for the purpose and one for any, so three are
        enough to see that several people share the address.
        """
        digest = keyring.digester(seals.ADDRESS)
        asked = {
            (fold(r.fa), r.purpose)
            for r in requests
            if r.id_value is None and r.fa and not self._get_address_problem(r.fa)
        }
        if not asked:
            return {}
        wanted = {(digest(text), purpose): text for text, purpose in asked}
        condition = SQL(
            "%s = wanted.digest AND %s",
            SQL.identifier(f"fa_digest_{keyring.roles.read_column}"),
            self._where_told(call),
        )
        found: dict[tuple[str, str], list[Found]] = {}
        for digest, purpose, *values in self._fetch_by_fa(condition, list(wanted)):
            text = wanted[bytes(digest), purpose]
            found.setdefault((text, purpose), []).append(Found(*values))
        return found

    @api.model
    def _where_told(self, call: CallContext) -> SQL:
        """Whether a mapping's ID may be told to the caller.

        As early as here: what is not told is not opened either, so that it takes no
        longer than an address of nobody.
        """
        if call.id_type_ids is None:
            return SQL("true")
        return SQL(
            """EXISTS (SELECT FROM spar_subject_id t
                        WHERE t.id = spar_mapping.identifier_id
                          AND t.type_id = ANY(%s))""",
            list(call.id_type_ids),
        )

    @api.model
    def _fetch_by_fa(
        self, condition: SQL, wanted: list[tuple[bytes, str]]
    ) -> list[tuple]:
        """``(digest, purpose, *columns of Found)`` for pairs of digest and purpose."""
        return self.env.execute_query(
            SQL(
                """SELECT wanted.digest, wanted.purpose, %s
                     FROM unnest(%s, %s) AS wanted (digest, purpose)
                    CROSS JOIN LATERAL (
                          SELECT * FROM spar_mapping
                           WHERE %s AND state IN ('active', 'suspended')
                             AND coalesce(purpose, '') IN (wanted.purpose, '')
                           LIMIT 3) m
                    CROSS JOIN LATERAL (
                          SELECT * FROM spar_subject_id
                           WHERE id = m.identifier_id LIMIT 1) i
                    CROSS JOIN LATERAL (
                          SELECT * FROM spar_subject
                           WHERE id = m.subject_id LIMIT 1) s""",
                _FOUND_COLUMNS,
                [digest for digest, _purpose in wanted],
                [purpose for _digest, purpose in wanted],
                condition,
            )
        )

    @api.model
    def _add_providers(self, found: dict) -> None:
        """Name and codes of who holds each address found; the name in one language."""
        rows = [row for rows in found.values() for row in rows if row.provider_id]
        if not rows:
            return
        self.env["spar.fsp"].flush_model(["name", "code"])
        self.env["spar.fsp.branch"].flush_model(["code"])
        query = SQL(
            """SELECT 'provider', id, code, name ->> 'en_US' FROM spar_fsp
                WHERE id = ANY(%s)
            UNION ALL
               SELECT 'branch', id, code, '' FROM spar_fsp_branch WHERE id = ANY(%s)""",
            list({row.provider_id for row in rows}),
            list({row.branch_id for row in rows if row.branch_id}),
        )
        known = {
            (kind, key): rest for kind, key, *rest in self.env.execute_query(query)
        }
        for row in rows:
            code, name = known["provider", row.provider_id]
            branch_code, _name = known.get(("branch", row.branch_id), ("", ""))
            row.provider = ProviderInfo(name, code, branch_code)

    # === ANSWERS === #

    @api.model
    def _answer(
        self, keyring, call, request, identifier, by_id, by_fa, problems
    ) -> Result:
        if isinstance(identifier, InvalidIdentifier):
            problem = identifier.code
            return Result(Outcome.INVALID_ID, request.id_value, problem=problem)
        problem = self._get_address_problem(request.fa)
        if problem:
            return Result(Outcome.INVALID_FA, request.id_value, problem=problem)
        if identifier is not None:
            rows = by_id.get(identifier, ())
        elif request.fa:
            rows = by_fa.get((fold(request.fa), request.purpose), ())
        else:
            return Result(Outcome.INVALID_ID, problem="empty")
        row = self._choose_row(rows, request.purpose)
        if row is None:
            return Result(Outcome.NOT_LINKED, request.id_value, request.fa)
        try:
            result = self._answer_found(keyring, call, request, identifier, row)
        except SealBroken:
            problems.append((row.table, row.broken_id, "does not open at resolve"))
            return Result(Outcome.LOCKED, request.id_value, problem="integrity")
        if identifier is None and len({found.subject_uuid for found in rows}) > 1:
            result.id_value, result.problem = None, "several_ids"
        return result

    @api.model
    def _choose_row(self, rows: list[Found], purpose: str) -> Found | None:
        """The address for ``purpose``, else the one for any purpose."""
        linked = {row.purpose: row for row in rows if row.id is not None}
        return linked.get(purpose) or linked.get("")

    @api.model
    def _answer_found(self, keyring, call, request, identifier, row: Found) -> Result:
        """Open what was found and say it; raises SealBroken.

        The sealed ID is opened too: it must be the one asked for, and it carries
        whether payments were stopped.
        """
        row_id = row.unseal_id(keyring)
        if identifier is not None and row_id != identifier:
            raise SealBroken("the ID found is not the one asked for")
        fa, details = row.unseal_fa(keyring, row_id)
        if identifier is None and fold(fa) != fold(request.fa):
            raise SealBroken("the address found is not the one asked for")
        result = Result(
            Outcome.FOUND,
            request.id_value if identifier is not None else row_id,
            is_origin=row.origin == call.actor,
            version=row.version,
        )
        if row.pay_stop or row.state == "suspended":
            result.outcome = Outcome.SUSPENDED
            result.problem = "payments_stopped" if row.pay_stop else ""
            return result
        self._add_address(result, request, row, fa, details)
        return result

    @api.model
    def _add_address(self, result: Result, request, row: Found, fa, details) -> None:
        if request.fa is not None:
            result.same_fa = fold(request.fa) == fold(fa)
            if not result.same_fa:
                result.outcome = Outcome.FA_MISMATCH
                return
        result.fa, result.details, result.provider = fa, details, row.provider
