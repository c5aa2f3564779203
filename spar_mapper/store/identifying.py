"""What texts are as IDs, in the form in which the store has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import repeat

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import Outcome
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import ContestedId
from ..lib import seals
from ..lib.id_reading import FormState
from .database import Cursor, build_bytes_array, fetch
from .showing import show_ids
from .work import Work

#: An ID, why a text is none, or None where there is no text.
Found = Identifier | InvalidIdentifier | None
#: Reads a text by the rules of now; raises InvalidIdentifier.
ReadId = Callable[[str, CardCheck], Identifier]
#: What a text is in an older form, and the number of that.
Reading = tuple[int, Identifier]

_ROWS = """
    SELECT id, form, digest_{column} FROM spar_subject_id
     WHERE digest_{column} = ANY(%s::bytea[])
"""
_CONTESTED = """
    SELECT digest_{column} FROM spar_form_case
     WHERE kind = 'ids' AND state <> 'closed' AND digest_{column} = ANY(%s::bytea[])
"""
#: The one row that an ID in the form of now is to be found by, while that row is in an
#: older form; those that several would have are left out.
_FORESEEN = """
    SELECT f.digest, min(f.row_id) FROM spar_form_row f
      JOIN spar_form_run r ON r.id = f.run_id
     WHERE r.kind = 'ids' AND r.state IN ('ready', 'rewriting')
       AND f.digest = ANY(%s::bytea[])
       AND NOT EXISTS (
           SELECT FROM spar_subject_id i WHERE i.digest_{column} = f.digest)
     GROUP BY f.digest HAVING count(DISTINCT f.row_id) = 1
"""


def read_ids(
    read: ReadId,
    texts: Sequence[str | None],
    bounds: Sequence[CardCheck] | None = None,
) -> list[Found]:
    """Return what each text is by the rules of now.

    :param bounds: which of them have to look as on the card; none
    """
    return [
        None if text is None else _read_id(read, text, bound)
        for text, bound in zip(texts, bounds or repeat(CardCheck.NOBODY), strict=False)
    ]


def _read_id(read: ReadId, text: str, bound: CardCheck) -> Found:
    try:
        return read(text, bound)
    except InvalidIdentifier as error:
        return error


def get_outcome(error: InvalidIdentifier) -> Outcome:
    """Return the answer to what is no ID; one that is of several people has to wait."""
    is_contested = isinstance(error, ContestedId)
    return Outcome.HELD if is_contested else Outcome.INVALID_ID


def find_rows(
    cr: Cursor, keyring: OpenKeyring, canonicals: Iterable[str]
) -> list[tuple[int, int, str]]:
    """Return the row, the form and the canonical ID of those that are known."""
    digest = keyring.digester(seals.ID)
    wanted = {digest(canonical): canonical for canonical in canonicals}
    if not wanted:
        return []
    query = _ROWS.format(column=keyring.roles.read_column)
    rows = fetch(cr, query, build_bytes_array(wanted))
    return [(row_id, form, wanted[bytes(found)]) for row_id, form, found in rows]


def find_contested(
    cr: Cursor, keyring: OpenKeyring, canonicals: Iterable[str]
) -> set[str]:
    """Return those IDs of which a case is open."""
    digest = keyring.digester(seals.ID)
    asked = {digest(canonical): canonical for canonical in canonicals}
    if not asked:
        return set()
    query = _CONTESTED.format(column=keyring.roles.read_column)
    rows = fetch(cr, query, build_bytes_array(asked))
    return {asked[bytes(found)] for (found,) in rows}


class FormReader:
    """Finds IDs that are stored in a form of before, and those that coincide."""

    def __init__(self, work: Work, state: FormState):
        self.work = work
        self.state = state

    def prefer_stored(
        self, texts: Sequence[str | None], found: Sequence[Found]
    ) -> list[Found]:
        """Return ``found``, but for IDs that are stored as exactly this spelling gives
        them in a form of before: it reaches them until they have the form of now.

        What is contested is reached in no other way.
        """
        older = [
            self._read_older(text, newest)
            for text, newest in zip(texts, found, strict=True)
        ]
        canonicals = {one.canonical for each in older for _number, one in each}
        rows = find_rows(self.work.cr, self.work.keyring, canonicals)
        stored = {canonical: form for _row_id, form, canonical in rows}
        contested = self._find_contested(found) if self.state.contested else set()
        chosen = [
            newest
            if isinstance(text, StoredIdentifier)
            else _choose(newest, readings, stored, contested)
            for text, newest, readings in zip(texts, found, older, strict=True)
        ]
        return self._find_foreseen(chosen) if self.state.foreseen else chosen

    def _read_older(self, text: str | None, newest: Found) -> list[Reading]:
        """What ``text`` is in each older form that takes it."""
        if text is None or isinstance(text, StoredIdentifier):
            return []
        readings = []
        for number, form in self.state.older:
            try:
                identifier = form.identify(text)
            except InvalidIdentifier:
                continue
            # What is the same in both forms is found by that of now.
            if self.state.contested or identifier != newest:
                readings.append((number, identifier))
        return readings

    def _find_contested(self, found: Sequence[Found]) -> set[str]:
        """Those of the IDs ``found`` that are of several people."""
        identifiers = [one.canonical for one in found if isinstance(one, Identifier)]
        return find_contested(self.work.cr, self.work.keyring, identifiers)

    def _find_foreseen(self, found: list[Found]) -> list[Found]:
        """The same as ``found``, but for IDs that a row is to become that is not
        rewritten yet: it is that row's, however it is spelt now."""
        digest = self.work.keyring.digester(seals.ID)
        asked = {
            digest(one.canonical): one
            for one in found
            if isinstance(one, Identifier) and not one.is_stored
        }
        rows = self._fetch_foreseen(asked) if asked else {}
        shown = show_ids(self.work, rows.values()) if rows else {}
        stored = {
            asked[each]: replace(asked[each], canonical=shown[row_id], is_stored=True)
            for each, row_id in rows.items()
            if row_id in shown
        }
        return [
            stored.get(one, one) if isinstance(one, Identifier) else one
            for one in found
        ]

    def _fetch_foreseen(self, digests: Iterable[bytes]) -> dict[bytes, int]:
        query = _FORESEEN.format(column=self.work.keyring.roles.read_column)
        rows = fetch(self.work.cr, query, build_bytes_array(digests))
        return {bytes(digest): row_id for digest, row_id in rows}


def _choose(
    newest: Found, readings: list[Reading], stored: dict[str, int], contested: set[str]
) -> Found:
    """What a text is: an ID that is stored in the form by which it was read so, else
    what it is now. Where that is contested, the spelling of a row, and no other."""
    for number, identifier in readings:
        if stored.get(identifier.canonical) == number:
            return replace(identifier, is_stored=True)
    if not isinstance(newest, Identifier) or newest.canonical not in contested:
        return newest
    # As the oldest form has it: to the letter.
    for _number, identifier in readings[-1:]:
        if identifier.canonical in stored:
            return replace(identifier, is_stored=True)
    return ContestedId()
