"""The comparison of a set of settings with what was sealed last.

A set is all rows of one model. Its seal has the MAC of each row, and a MAC over all of
them, the set's number and the previous seal: an added, altered, older or deleted row is
noticed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .keyring import OpenKeyring, bind

_ROW, _SET = "setting", "set of settings"

ALTERED = "this setting was changed outside SPAR"
ADDED = "this setting was added outside SPAR"
MISSING = "this setting was deleted outside SPAR"
UNSEALED = "these settings have never been sealed"
SEAL_FORGED = "the seal of these settings is forged"
JOB_OFF = "this scheduled job, which SPAR needs, is inactive, postponed or changed"
VIEW_FOREIGN = "this view of the staff screens differs from the one in its addon"
ACT_FORGED = "this record of an account change was added outside SPAR"
BUNDLE_FOREIGN = "this script bundle differs from the files of the addons"
CODE_FOREIGN = "this code is in the database, and no addon brought it"
FIELD_FOREIGN = "this custom field reads or changes records of SPAR past their rights"
LOGIN_TAKEN = "this account has the login of a member of staff"
NAMES_CLOSED = "this row names a field that Odoo would read for it past its rights"
OF_A_WEBSITE = "this account of a member of staff belongs to one website only"
REPORT_LINKED = "this row has a report of SPAR made of records that it does not know"
SEAL_GAP = "a seal of settings was deleted"


@dataclass(frozen=True)
class Seal:
    """The stored seal of one set; ``rows`` maps the id of each row to its MAC.

    ``columns`` are those that the MACs cover: a later version of an addon may have
    more.
    """

    seq: int
    model: str
    number: int
    audit_key: str
    columns: tuple[str, ...]
    rows: Mapping[int, str]
    previous: str = ""
    mac: str = ""

    def build_mac(self, keyring: OpenKeyring) -> str:
        """Return the MAC over the whole seal."""
        rows = json.dumps(sorted(self.rows.items()))
        parts = (self.seq, self.model, self.number, self.audit_key, self.previous)
        return keyring.mac(_SET, bind(*parts, *self.columns, rows)).hex()

    def is_genuine(self, keyring: OpenKeyring) -> bool:
        """Return whether the seal was made with the key that is in use."""
        is_ours = self.audit_key == keyring.roles.audit_key
        return is_ours and self.mac == self.build_mac(keyring)


@dataclass(frozen=True)
class SealComparison:
    """The rows that are as sealed, and the problems: row id and problem."""

    good: frozenset[int]
    problems: tuple[tuple[int, str], ...] = ()


def mac_rows(
    keyring: OpenKeyring, model: str, rows: Iterable[tuple[int, str]]
) -> dict[int, str]:
    """Return the MAC of each row, by its id; ``rows`` are ids and canonical texts."""
    return {
        row_id: keyring.mac(_ROW, bind(model, row_id, text)).hex()
        for row_id, text in rows
    }


def compare(sealed: Mapping[int, str], present: Mapping[int, str]) -> SealComparison:
    """Compare the MACs of the present rows with those sealed.

    >>> compare({1: "a", 2: "b", 3: "c"}, {1: "a", 2: "x", 4: "d"}).good
    frozenset({1})
    >>> [row for row, _ in compare({1: "a", 2: "b"}, {2: "x", 4: "d"}).problems]
    [1, 2, 4]
    """
    good = {row_id for row_id, mac in present.items() if sealed.get(row_id) == mac}
    problems = {row_id: MISSING for row_id in sealed.keys() - present.keys()}
    for row_id in present.keys() - good:
        problems[row_id] = ALTERED if row_id in sealed else ADDED
    return SealComparison(frozenset(good), tuple(sorted(problems.items())))
