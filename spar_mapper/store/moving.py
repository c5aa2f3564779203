"""The move of everyone at a closed provider or branch to its successor, in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from odoo.addons.spar_fa_directory.lib.fa_examination import KnownKind, Problem
from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress, find_own_id
from odoo.addons.spar_fa_directory.lib.fa_reader import Address

from ..lib import moving, seals
from ..lib.moving import MovePlan
from ..lib.records import Head, Holding
from .database import build_bytes_array, fetch
from .work import Work

#: Places of a provider or branch that count, or are pending, after a row.
_PIECE = """
    SELECT id, subject_id FROM spar_mapping
     WHERE id > %s AND state IN ('active', 'suspended', 'proposed')
       AND (%s::int IS NULL OR branch_id = %s) AND provider_id = %s
     ORDER BY id LIMIT %s
"""
#: Whether an address belongs to a person who did not have the previous one. People who
#: share an account had it, and are moved together.
_TAKEN = """
    SELECT wanted.place
      FROM unnest(%s::bytea[], %s::bytea[]) WITH ORDINALITY AS wanted (new, old, place)
     WHERE EXISTS (
           SELECT FROM spar_mapping_period p
             JOIN spar_mapping m ON m.id = p.mapping_id AND m.period_id = p.id
            WHERE p.fa_digest_{column} = wanted.new
              AND m.state IN ('active', 'suspended')
              AND NOT EXISTS (
                  SELECT FROM spar_mapping_period before
                   WHERE before.subject_id = m.subject_id
                     AND before.fa_digest_{column} = wanted.old))
"""


@dataclass(frozen=True)
class MoveDirectory:
    """The functions of the directory that are needed: see ``spar.fa.strategy``.

    ``write`` writes an address, ``rewrite`` one that is in its one form;
    ``find_new_numbers`` returns the new number of each that is in the list.
    """

    kinds: Mapping[int, KnownKind]
    canonicalise: Callable[[list[str]], list[CanonicalAddress]]
    write: Callable[[list[Address]], list[str | None]]
    rewrite: Callable[[list[CanonicalAddress], list[str]], list[str]]
    find_new_numbers: Callable[[Iterable[str]], Mapping[str, str]]


class PlaceProblem(NamedTuple):
    """A place whose address is not moved, and why."""

    head_id: int
    problem: Problem


@dataclass(frozen=True)
class MovePiece:
    """The result for some places; ``until`` is the last one, None at the end."""

    until: int | None
    seen: int = 0
    moved: int = 0
    left: tuple[PlaceProblem, ...] = ()


class MoveCandidate(NamedTuple):
    """A place whose address may be moved, and the reading of that address."""

    holding: Holding
    head: Head
    canonical: CanonicalAddress


class MoveTarget(NamedTuple):
    """The address that a candidate gets, and its reading."""

    candidate: MoveCandidate
    address: Address
    key: str


class Mover:
    """Moves addresses by a plan.

    :param is_trial: nothing is written; only the result is determined
    """

    def __init__(
        self,
        work: Work,
        plan: MovePlan,
        directory: MoveDirectory,
        is_trial: bool = False,
    ):
        self.work = work
        self.plan = plan
        self.directory = directory
        self.is_trial = is_trial
        self._left: list[PlaceProblem] = []

    def move_piece(self, after: int, size: int) -> MovePiece:
        """Move the next ``size`` places after ``after``, under their locks."""
        plan = self.plan
        branch = plan.branch_id
        rows = fetch(
            self.work.cr, _PIECE, after, branch, branch, plan.provider_id, size
        )
        if not rows:
            return MovePiece(None)
        self._left = []
        targets = self._find_targets(self._find_candidates(rows))
        if targets and not self.is_trial:
            self._write(targets)
        left = tuple(sorted(self._left))
        return MovePiece(rows[-1][0], len(rows), len(targets), left)

    # === CANDIDATES === #

    def _find_candidates(self, rows: Sequence[tuple[int, int]]) -> list[MoveCandidate]:
        """Lock the people of the places; omit places that are gone or must stay."""
        holdings = self.work.load().load_subjects({subject for _row, subject in rows})
        found: list[tuple[Holding, Head]] = []
        for head_id, subject_id in rows:
            holding = holdings.get(subject_id)
            problem = moving.find_obstacle(holding)
            if problem or holding is None:
                self._record_problem(head_id, problem or moving.BROKEN)
                continue
            heads = {head.row_id: head for head in holding.subject.heads.values()}
            head = heads.get(head_id)
            if head and not (head.address and self.plan.is_from(head.address)):
                continue
            problem = moving.find_place_obstacle(holding, head)
            if problem or head is None:
                self._record_problem(head_id, problem or moving.FALLBACK)
                continue
            found.append((holding, head))
        texts = [head.current.fa for _holding, head in found]
        read = self.directory.canonicalise(texts) if texts else []
        return [
            MoveCandidate(*pair, one) for pair, one in zip(found, read, strict=True)
        ]

    def _record_problem(self, head_id: int | None, problem: Problem) -> None:
        self._left.append(PlaceProblem(head_id or 0, problem))

    # === DESTINATIONS === #

    def _find_targets(self, candidates: list[MoveCandidate]) -> list[MoveTarget]:
        """Return the addresses that the successor can have; others are left."""
        built = self._build(candidates)
        written = self.directory.write([address for _candidate, address in built])
        ready = []
        for (candidate, _address), text in zip(built, written, strict=True):
            if text is None:
                self._record_problem(candidate.head.row_id, moving.UNWRITTEN)
                continue
            ready.append((candidate, text))
        return self._exclude_taken(self._find_fitting(ready))

    def _find_fitting(self, ready: list[tuple[MoveCandidate, str]]) -> list[MoveTarget]:
        """Return the addresses that pass the successor's checks, in their one form."""
        texts = [text for _candidate, text in ready]
        read = self.directory.canonicalise(texts)
        written = self.directory.rewrite(read, texts)
        targets = []
        for (candidate, _text), canonical, text in zip(
            ready, read, written, strict=True
        ):
            problem = self._examine(candidate, canonical)
            if problem:
                self._record_problem(candidate.head.row_id, problem)
                continue
            address = canonical.to_address(text)
            targets.append(MoveTarget(candidate, address, canonical.key))
        return targets

    def _build(
        self, candidates: list[MoveCandidate]
    ) -> list[tuple[MoveCandidate, Address]]:
        listed = self.directory.find_new_numbers(self._get_numbers(candidates))
        built = []
        for candidate in candidates:
            canonical = candidate.canonical
            type_id = canonical.known.type_id if canonical.known else 0
            kind = self.directory.kinds.get(type_id, _NO_KIND)
            address = moving.build_moved(self.plan, kind, canonical, listed)
            if isinstance(address, Problem):
                self._record_problem(candidate.head.row_id, address)
                continue
            built.append((candidate, address))
        return built

    def _get_numbers(self, candidates: list[MoveCandidate]) -> set[str]:
        numbers = set()
        for candidate in candidates:
            known, parts = candidate.canonical.known, candidate.canonical.parts
            if known and parts:
                key = moving.get_number_key(self.directory.kinds[known.type_id])
                numbers.add(parts.get(key, ""))
        return numbers - {""}

    def _examine(
        self, candidate: MoveCandidate, canonical: CanonicalAddress
    ) -> Problem | None:
        """Return why the successor cannot have an address, by its own checks."""
        if canonical.problem:
            return canonical.problem
        if canonical.provider_id != self.plan.successor_id:
            return moving.ELSEWHERE
        return find_own_id(canonical, [candidate.holding.canonical])

    def _exclude_taken(self, targets: list[MoveTarget]) -> list[MoveTarget]:
        """Leave addresses whose new address is another person's.

        Otherwise the money would go to that person.
        """
        if not targets:
            return []
        digest = self.work.keyring.digester(seals.ADDRESS)
        old = [digest(target.candidate.head.current.key) for target in targets]
        rows = fetch(
            self.work.cr,
            _TAKEN.format(column=self.work.keyring.roles.read_column),
            build_bytes_array([digest(target.key) for target in targets]),
            build_bytes_array(old),
        )
        taken = {place - 1 for (place,) in rows}
        owners: dict[str, bytes] = {}
        free = []
        for place, target in enumerate(targets):
            if (
                place in taken
                or owners.setdefault(target.key, old[place]) != old[place]
            ):
                self._record_problem(target.candidate.head.row_id, moving.TAKEN)
                continue
            free.append(target)
        return free

    # === WRITING === #

    def _write(self, targets: list[MoveTarget]) -> None:
        ledger = self.work.begin()
        for (holding, head, _old), address, key in targets:
            moving.move(ledger, holding, head, address, key)
        self.work.save(ledger)


_NO_KIND = KnownKind("", ())


def count_people(work: Work, plan: MovePlan) -> int:
    """Return how many places a plan concerns."""
    ((count,),) = fetch(
        work.cr,
        """SELECT count(*) FROM spar_mapping
            WHERE state IN ('active', 'suspended', 'proposed')
              AND (%s::int IS NULL OR branch_id = %s) AND provider_id = %s""",
        plan.branch_id,
        plan.branch_id,
        plan.provider_id,
    )
    return int(count)
