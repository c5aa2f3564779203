"""Resolution: addresses by ID, IDs by address, and whether both belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Outcome,
    ProviderInfo,
    ResolveRequest,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import IdMoved, RowBroken
from ..lib import seals
from ..lib.audit import Finding
from ..lib.records import IN_FORCE, KEY_FORM, Head, StoredAddress, Subject
from .database import Row, StoreCursor, build_array, build_bytes_array, fetch
from .following import Follower, MovedPerson, WantedAddress
from .identifying import get_outcome
from .loading import BuildKeys, identify
from .opening import (
    HEAD_ALTERED,
    HEAD_COLUMNS,
    HEAD_START,
    HEAD_WIDTH,
    ID_COLUMNS,
    ID_WIDTH,
    NEWEST_MAC,
    SUBJECT_COLUMNS,
    Opener,
    check_complete,
)
from .reading import get_address_problem

#: An ID as it is stored, the reason why a text is none, or None if no ID is requested.
RequestedId = str | InvalidIdentifier | None

#: Called with a request, the owner of its ID, and the place in force, if there is one.
PlaceCallback = Callable[[ResolveRequest, Subject, Head | None], None]

#: A provider and a branch, or neither.
ProviderPlace = tuple[int | None, int | None]

_FOUND = f"{ID_COLUMNS}, {SUBJECT_COLUMNS}, {NEWEST_MAC}, {HEAD_COLUMNS}"

#: LATERAL with LIMIT throughout: one index lookup for each ID and row, in tables of any
#: size. Otherwise PostgreSQL reads the whole of a table with some 100,000 rows, or
#: begins at the wrong end if its statistics date from when the tables were empty.
_BY_ID = f"""
    SELECT wanted.place, {_FOUND} {{providers}}
      FROM unnest(%s::bytea[]) WITH ORDINALITY AS wanted (digest, place)
     CROSS JOIN LATERAL (
           SELECT * FROM spar_subject_id
            WHERE digest_{{column}} = wanted.digest LIMIT 1) i
      LEFT JOIN LATERAL (
           SELECT * FROM spar_subject WHERE id = i.subject_id LIMIT 1) s ON true
      LEFT JOIN spar_mapping m ON m.subject_id = s.id {{joined}}
"""
#: Whether the day has come on which a provider or branch closes.
_CLOSED = "coalesce({}.closed_on <= (now() AT TIME ZONE 'UTC')::date, false)"
#: For one ID, its provider is joined; for many, each provider is looked up once.
_WITH_PROVIDER = {
    "providers": f", f.name ->> 'en_US', f.code, {_CLOSED.format('f')}, b.code, "
    f"{_CLOSED.format('b')}",
    "joined": """
      LEFT JOIN spar_fsp f ON f.id = m.provider_id
      LEFT JOIN spar_fsp_branch b ON b.id = m.branch_id""",
}
_WITHOUT_PROVIDER = {"providers": "", "joined": ""}
#: The end of ``_FOUND`` in a row of ``_BY_ID``; what follows is of the provider.
_END = 1 + HEAD_START + HEAD_WIDTH
#: At most three: a subject has one for the purpose and one for any, so three are enough
#: to see that several people share the address. What may not be disclosed is excluded
#: here, so that it takes no longer than an address that no one has.
_BY_ADDRESS = f"""
    SELECT wanted.digest, wanted.purpose, {_FOUND}
      FROM unnest(%s::bytea[], %s::varchar[]) AS wanted (digest, purpose)
     CROSS JOIN LATERAL (
           SELECT m.*, i.id AS identifier_id
             FROM spar_mapping_period p
             JOIN spar_mapping m ON m.id = p.mapping_id AND m.period_id = p.id
            CROSS JOIN LATERAL (
                  SELECT id FROM spar_subject_id
                   WHERE subject_id = m.subject_id
                     AND (%s::int[] IS NULL OR type_id = ANY(%s::int[]))
                   ORDER BY active DESC, id LIMIT 1) i
            WHERE p.fa_digest_{{column}} = wanted.digest
              AND m.purpose IN (wanted.purpose, '')
            LIMIT 3) m
     CROSS JOIN LATERAL (
           SELECT * FROM spar_subject_id WHERE id = m.identifier_id LIMIT 1) i
     CROSS JOIN LATERAL (
           SELECT * FROM spar_subject WHERE id = m.subject_id LIMIT 1) s
"""
_PROVIDERS = f"""
    SELECT 'provider', f.id, f.name ->> 'en_US', f.code, {_CLOSED.format("f")}
      FROM spar_fsp f WHERE f.id = ANY(%s::int[])
 UNION ALL
    SELECT 'branch', b.id, '', b.code, {_CLOSED.format("b")}
      FROM spar_fsp_branch b WHERE b.id = ANY(%s::int[])
"""
#: A place outside the directory has not closed.
_NOWHERE = ("", "", False)

_NO_SUBJECT = "the person of the ID is gone"


@dataclass(frozen=True)
class OlderForms:
    """The older forms of addresses, as long as addresses may be in them.

    :param below: addresses stored with a lower number are in an older form
    :param build_keys: returns the keys of addresses by each set of older rules
    """

    below: int = KEY_FORM
    build_keys: Callable[[list[str]], list[list[str]]] = lambda texts: []


class Resolver:
    """Builds the answers to a batch.

    It takes at most three statements, whatever its size, and two more if it names
    addresses that no one has, which may be at a closed provider.

    Only what is as the store wrote it is answered: a tampered row gives LOCKED and a
    problem for an alarm, never an address.

    :param on_place: called for each ID that is found, with its place in force
    """

    def __init__(
        self,
        call: CallContext,
        cr: StoreCursor,
        keyring: OpenKeyring,
        build_keys: BuildKeys,
        older: OlderForms | None = None,
        on_place: PlaceCallback | None = None,
    ):
        self.call = call
        self.cr = cr
        self.keyring = keyring
        self.opener = Opener(call, keyring)
        self.build_keys = build_keys
        self.older = older or OlderForms()
        self.on_place = on_place
        self._older_keys: dict[str, list[str]] = {}
        self._keys: dict[str, str] = {}
        self.problems: list[Finding] = []
        self._providers: dict[ProviderPlace, ProviderInfo] = {}
        self._closed: dict[ProviderPlace, str] = {}

    def resolve(
        self,
        requests: Sequence[ResolveRequest],
        identified: Sequence[RequestedId],
        stored: frozenset[str] | set[str] = frozenset(),
    ) -> list[Result]:
        """Return the results in the order of the requests.

        :param identified: the stored ID of each request, or None if it requests none
        :param stored: those of which a row was found; raises IdMoved if one was
            rewritten in another form since
        """
        self._read_keys(requests)
        by_id = self._find_by_id([i for i in identified if isinstance(i, str)])
        if not stored <= by_id.keys():
            raise IdMoved()
        by_address = self._find_by_address(requests)
        found = [*by_id.values(), *by_address.values()]
        self._load_providers(row for rows in found for row in rows)
        results = [
            self._answer(request, identifier, by_id, by_address)
            for request, identifier in zip(requests, identified, strict=True)
        ]
        self._follow_moves(requests, identified, results, by_id)
        return results

    # === KEYS OF ADDRESSES === #

    def _read_keys(self, requests: Sequence[ResolveRequest]) -> None:
        """Record the key of each requested address, if it can be an address at all."""
        texts = list(dict.fromkeys(r.fa for r in requests if r.fa))
        texts = [fa for fa in texts if not get_address_problem(fa)]
        if texts:
            self._keys = dict(zip(texts, self.build_keys(texts), strict=True))
            for keys in self.older.build_keys(texts):
                for fa, key in zip(texts, keys, strict=True):
                    self._older_keys.setdefault(fa, []).append(key)

    def _list_forms(self, fa: str) -> set[str]:
        """Return the keys of an address by the current and older rules.

        The text from which the oldest form was made is included.
        """
        return {self._keys[fa], fold(fa), *self._older_keys.get(fa, ())}

    def _is_same(self, fa: str, address: StoredAddress) -> bool:
        identify(self.build_keys, [address], self.older.below)
        return address.is_same(self._keys[fa])

    # === STATEMENTS === #

    def _find_by_id(self, identifiers: list[str]) -> dict[str, list[Row]]:
        """Return, by canonical ID, its row, its subject's and those of all places."""
        wanted = list(dict.fromkeys(identifiers))
        if not wanted:
            return {}
        digests = map(self.keyring.digester(seals.ID), wanted)
        joined = _WITH_PROVIDER if len(wanted) == 1 else _WITHOUT_PROVIDER
        query = _BY_ID.format(column=self.keyring.roles.read_column, **joined)
        found: dict[str, list[Row]] = {}
        for row in fetch(self.cr, query, build_bytes_array(digests)):
            found.setdefault(wanted[row[0] - 1], []).append(row[1:_END])
            if joined is _WITH_PROVIDER:
                self._note_joined(row[1:_END], row[_END:])
        return found

    def _note_joined(self, found: Row, provider: Row) -> None:
        """Record the provider that was joined to a row, if its place names one."""
        name, code, closed, branch_code, without = provider
        if code:
            info = ProviderInfo(name, code, branch_code or "")
            self._add_provider(found[-2:], info, closed, without)

    def _find_by_address(
        self, requests: Sequence[ResolveRequest]
    ) -> dict[tuple[str, str], list[Row]]:
        """Return rows by key of the address and purpose, for requests without an ID."""
        requested = {
            (r.fa, r.purpose)
            for r in requests
            if r.id_value is None and r.fa in self._keys
        }
        if not requested:
            return {}
        digest = self.keyring.digester(seals.ADDRESS)
        wanted = {
            (digest(form), purpose): self._keys[fa]
            for fa, purpose in requested
            for form in self._list_forms(fa)
        }
        types = self.call.id_type_ids
        allowed = None if types is None else build_array(types)
        query = _BY_ADDRESS.format(column=self.keyring.roles.read_column)
        rows = fetch(
            self.cr,
            query,
            build_bytes_array([digest for digest, _purpose in wanted]),
            [purpose for _digest, purpose in wanted],
            allowed,
            allowed,
        )
        found: dict[tuple[str, str], list[Row]] = {}
        for found_digest, purpose, *row in rows:
            key = wanted[bytes(found_digest), purpose]
            found.setdefault((key, purpose), []).append(tuple(row))
        return found

    def _load_providers(self, rows: Iterable[Row]) -> None:
        """Load name, codes and closing state of each found address's provider.

        The name is in one language.
        """
        pairs = {row[-2:] for row in rows if row[-2]} - self._providers.keys()
        if not pairs:
            return
        providers = build_array({provider for provider, _branch in pairs})
        branches = build_array({branch for _provider, branch in pairs if branch})
        known = {
            (kind, key): rest
            for kind, key, *rest in fetch(self.cr, _PROVIDERS, providers, branches)
        }
        for provider, branch in pairs:
            name, code, closed = known["provider", provider]
            _name, branch_code, without = known.get(("branch", branch), _NOWHERE)
            info = ProviderInfo(name, code, branch_code)
            self._add_provider((provider, branch), info, closed, without)

    def _add_provider(
        self,
        place: ProviderPlace,
        info: ProviderInfo,
        is_closed: bool,
        branch_is_closed: bool,
    ) -> None:
        self._providers[place] = info
        if is_closed or branch_is_closed:
            self._closed[place] = "provider_closed" if is_closed else "branch_closed"

    # === ANSWERS === #

    def _answer(
        self,
        request: ResolveRequest,
        identifier: RequestedId,
        by_id: dict[str, list[Row]],
        by_address: dict[tuple[str, str], list[Row]],
    ) -> Result:
        if isinstance(identifier, InvalidIdentifier):
            outcome = get_outcome(identifier)
            return Result(outcome, request.id_value, problem=identifier.code)
        problem = get_address_problem(request.fa)
        if problem:
            return Result(Outcome.INVALID_FA, request.id_value, problem=problem)
        try:
            if identifier is not None:
                rows = by_id.get(identifier, [])
                return self._answer_id(request, identifier, rows)
            if request.fa:
                key = self._keys[request.fa]
                rows = by_address.get((key, request.purpose), [])
                return self._answer_address(request, rows)
        except RowBroken as error:
            self.problems.append(error.problem)
            return Result(Outcome.LOCKED, request.id_value, problem="integrity")
        return Result(Outcome.INVALID_ID, problem="empty")

    def _answer_id(
        self, request: ResolveRequest, identifier: str, rows: list[Row]
    ) -> Result:
        """Return the content of the requested place, else of the one for any purpose.

        All places are opened, including ended ones: the answer that an ID is not linked
        is given only if it is true.
        """
        if not rows:
            return Result(Outcome.NOT_LINKED, request.id_value, request.fa)
        subject = self._open_subject(rows[0])
        self.opener.open_id(subject, rows[0][:ID_WIDTH], identifier)
        places = [row[HEAD_START:] for row in rows if row[HEAD_START] is not None]
        check_complete(subject, len(places))
        opened = [self.opener.open_head(subject, place) for place in places]
        heads = {
            head.purpose: head
            for head in opened
            if head.rank == 1 and head.state in IN_FORCE
        }
        head = heads.get(request.purpose) or heads.get("")
        if self.on_place is not None:
            self.on_place(request, subject, head)
        if head is None:
            return Result(Outcome.NOT_LINKED, request.id_value, request.fa)
        return self._answer_found(request, request.id_value, subject, head)

    def _answer_address(self, request: ResolveRequest, rows: list[Row]) -> Result:
        """Return whose the address is; no owner is given if several people share it."""
        places = {row[HEAD_START + 2]: row for row in rows}
        row = places.get(request.purpose) or places.get("")
        if row is None:
            return Result(Outcome.NOT_LINKED, request.id_value, request.fa)
        subject = self._open_subject(row)
        canonical = self.opener.open_id(subject, row[:ID_WIDTH])
        head = self.opener.open_head(subject, row[HEAD_START:])
        address = head.address
        if address is None or not self._is_same(request.fa or "", address):
            raise RowBroken("spar_mapping", row[HEAD_START], HEAD_ALTERED)
        if head.state not in IN_FORCE:
            return Result(Outcome.NOT_LINKED, request.id_value, request.fa)
        result = self._answer_found(request, canonical, subject, head)
        if len({found[ID_WIDTH] for found in rows}) > 1:
            result.id_value, result.problem = None, "several_ids"
        return result

    def _open_subject(self, row: Row) -> Subject:
        columns = row[ID_WIDTH:HEAD_START]
        if columns[0] is None:
            raise RowBroken("spar_subject_id", row[0], _NO_SUBJECT)
        return self.opener.open_subject(columns)

    def _answer_found(
        self,
        request: ResolveRequest,
        id_value: str | None,
        subject: Subject,
        head: Head,
    ) -> Result:
        address = head.current
        result = Result(
            Outcome.FOUND,
            id_value,
            is_origin=address.origin == self.call.actor,
            version=head.version,
        )
        if subject.pay_stop or head.state == "suspended":
            result.outcome = Outcome.SUSPENDED
            result.problem = "payments_stopped" if subject.pay_stop else ""
            return result
        closed = self._closed.get((address.provider_id, address.branch_id))
        if closed:
            result.outcome, result.problem = Outcome.SUSPENDED, closed
            return result
        self._add_address(result, request, address)
        return result

    # === ADDRESSES THAT WERE MOVED === #

    def _follow_moves(
        self,
        requests: Sequence[ResolveRequest],
        identified: Sequence[RequestedId],
        results: list[Result],
        by_id: dict[str, list[Row]],
    ) -> None:
        """Answer again requests for an address that is not in force.

        It may have been moved to the successor of its provider.
        """
        requested = self._list_wanted(requests, identified, results, by_id)
        if not requested:
            return
        wanted: dict[WantedAddress, set[str]] = {}
        for place, one in requested.items():
            texts = wanted.setdefault(one, set())
            texts |= self._list_forms(requests[place].fa or "")
        follower = Follower(self.cr, self.opener, self.call.id_type_ids)
        found = follower.find(wanted)
        self._load_providers(each.row for many in found.values() for each in many)
        for place, one in requested.items():
            past = _choose(one, found.get(one, []))
            if past is not None:
                several = len({each.row[ID_WIDTH] for each in found[one]}) > 1
                results[place] = self._answer_moved(
                    follower, requests[place], one, past, several
                )

    def _list_wanted(
        self,
        requests: Sequence[ResolveRequest],
        identified: Sequence[RequestedId],
        results: list[Result],
        by_id: dict[str, list[Row]],
    ) -> dict[int, WantedAddress]:
        """Return the addresses that are not in force, by the place of the request."""
        wanted: dict[int, WantedAddress] = {}
        if not self._keys:
            return wanted
        for place, (request, result) in enumerate(zip(requests, results, strict=True)):
            if request.fa not in self._keys:
                continue
            key, identifier = self._keys[request.fa], identified[place]
            if result.outcome is Outcome.FA_MISMATCH and isinstance(identifier, str):
                wanted[place] = _build_wanted(key, request, by_id[identifier])
            elif result.outcome is Outcome.NOT_LINKED and identifier is None:
                wanted[place] = WantedAddress(key, request.purpose)
        return wanted

    def _answer_moved(
        self,
        follower: Follower,
        request: ResolveRequest,
        wanted: WantedAddress,
        found: MovedPerson,
        several: bool,
    ) -> Result:
        """Return what became of an address whose provider or branch has closed."""
        row = found.row
        try:
            subject = self._open_subject(row)
            canonical = self.opener.open_id(subject, row[:ID_WIDTH])
            head = self.opener.open_head(subject, row[HEAD_START:])
            old = follower.open(subject, head, found.past)
            identify(self.build_keys, [old], self.older.below)
            if not old.is_same(wanted.key):
                row_id = found.past.period[0]
                raise RowBroken("spar_mapping_period", row_id, HEAD_ALTERED)
        except RowBroken as error:
            self.problems.append(error.problem)
            return Result(Outcome.LOCKED, request.id_value, problem="integrity")
        id_value = request.id_value if wanted.subject_id else canonical
        result = self._answer_found(replace(request, fa=None), id_value, subject, head)
        if result.outcome is Outcome.FOUND:
            result.same_fa = False if wanted.subject_id else None
            is_same = old.provider_id == head.current.provider_id
            result.problem = "branch_replaced" if is_same else "provider_replaced"
            if several:
                result.id_value, result.problem = None, "several_ids"
        return result

    def _add_address(
        self, result: Result, request: ResolveRequest, address: StoredAddress
    ) -> None:
        if request.fa is not None:
            result.same_fa = self._is_same(request.fa, address)
            if not result.same_fa:
                result.outcome = Outcome.FA_MISMATCH
                return
        place = (address.provider_id, address.branch_id)
        result.provider = self._providers.get(place)
        result.fa, result.details = address.fa, address.details


def _build_wanted(key: str, request: ResolveRequest, rows: list[Row]) -> WantedAddress:
    """Return the address as that of one person's requested place."""
    purposes = {row[HEAD_START + 2] for row in rows if row[HEAD_START + 3] in IN_FORCE}
    purpose = request.purpose if request.purpose in purposes else ""
    return WantedAddress(key, purpose, rows[0][ID_WIDTH])


def _choose(wanted: WantedAddress, found: list[MovedPerson]) -> MovedPerson | None:
    """Return who had it in the place for the purpose, else in the one for any."""
    places = {one.row[HEAD_START + 2]: one for one in found}
    if wanted.subject_id:
        return places.get(wanted.purpose)
    return places.get(wanted.purpose) or places.get("")
