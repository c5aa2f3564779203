"""Which mapper is called for which IDs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Routes:
    """The backends that are in use, as the settings name them.

    :param default: the backend for IDs of no type, None if there is none
    :param by_type: the backend of each ID type in use
    :param models: the model that implements each backend
    """

    default: int | None
    by_type: Mapping[int, int | None]
    models: Mapping[int, str]

    @cached_property
    def backends(self) -> tuple[int, ...]:
        """Return every backend in use, the default one first.

        >>> Routes(2, {7: 1, 8: 2, 9: 3}, {}).backends
        (2, 1, 3)
        """
        found = dict.fromkeys((self.default, *self.by_type.values()))
        return tuple(backend for backend in found if backend is not None)

    @property
    def only(self) -> int | None:
        """Return the one backend in use, None if there are several or none.

        >>> Routes(2, {7: 2, 8: 2}, {}).only, Routes(2, {7: 1}, {}).only
        (2, None)
        """
        backends = self.backends
        return backends[0] if len(backends) == 1 else None

    def get(self, type_id: int | None) -> int | None:
        """Return the backend for IDs of this type.

        >>> routes = Routes(2, {7: 1}, {})
        >>> routes.get(7), routes.get(99), routes.get(None)
        (1, 2, 2)
        """
        return self.by_type.get(type_id or 0, self.default)

    def get_types(self, backend: int) -> frozenset[int]:
        """Return the ID types whose IDs are this backend's.

        >>> Routes(2, {7: 1, 8: 2, 9: 1}, {}).get_types(1) == {7, 9}
        True
        """
        return frozenset(
            type_id for type_id, named in self.by_type.items() if named == backend
        )
