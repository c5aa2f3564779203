"""The rules and library versions that determine the canonical form of addresses.

Stored addresses refer by number to the rules that they were written by. If those rules
change, or a library is upgraded, the same text may have a different form.
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from .fa_examination import KnownKind, KnownPart

#: The version of how the keys of addresses are built from their parts.
ALGORITHM = 2
#: The libraries whose versions affect what a check makes of a value.
LIBRARIES = ("google-re2", "idna", "phonenumbers", "python-stdnum", "schwifty")

#: The kinds of address by the ID of their type.
Kinds = Mapping[int, KnownKind]


@dataclass(frozen=True)
class Difference:
    """A difference between rules: for every address, or for those of some kinds."""

    is_general: bool = False
    type_ids: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return self.is_general or bool(self.type_ids)


def to_data(kinds: Kinds) -> dict[str, Any]:
    """Return the current rules as they are stored in JSON.

    >>> kinds = {7: KnownKind("bank", (KnownPart("number", "text"),), "account")}
    >>> load_kinds(to_data(kinds)) == kinds
    True
    """
    libraries = {name: version(name) for name in LIBRARIES}
    data = {
        "algorithm": ALGORITHM,
        "kinds": {str(type_id): asdict(kind) for type_id, kind in kinds.items()},
        "libraries": {**libraries, "unicode": unicodedata.unidata_version},
    }
    kept: dict[str, Any] = json.loads(json.dumps(data))
    return kept


def load_kinds(data: Mapping[str, Any]) -> dict[int, KnownKind]:
    """Return the kinds that ``to_data`` stored."""
    return {
        int(type_id): KnownKind(
            kind["provider_kind"],
            tuple(KnownPart(**part) for part in kind["parts"]),
            kind["code"],
        )
        for type_id, kind in data.get("kinds", {}).items()
    }


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """Return how ``new`` differs from ``old``, ignoring kinds that were added since.

    >>> part = KnownPart("number", "text")
    >>> old = to_data({7: KnownKind("bank", (part,), "account")})
    >>> compare(old, old | {"libraries": {}})
    Difference(is_general=True, type_ids=())
    >>> compare(old, old | {"kinds": old["kinds"] | {"8": {}}})
    Difference(is_general=False, type_ids=())
    >>> compare(old, old | {"kinds": {"7": {}}})
    Difference(is_general=False, type_ids=(7,))
    """
    names = ("algorithm", "libraries")
    is_general = any(old.get(name) != new.get(name) for name in names)
    kinds = new.get("kinds", {})
    changed = [i for i, kind in old.get("kinds", {}).items() if kinds.get(i) != kind]
    return Difference(is_general, tuple(sorted(map(int, changed))))
