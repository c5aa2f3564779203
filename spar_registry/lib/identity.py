"""The IDs of people, and which of them a payment is sent to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class RegistryIdentity(NamedTuple):
    """An ID of a person, opened.

    :param row_id: the row in which it is kept, of whatever model
    :param id_value: the ID as it travels to a mapper
    :param is_shared: whether another person of the registry has the same ID
    :param verified_by: the user who compared it with the document, 0 if that is not
        known
    """

    row_id: int
    partner_id: int
    type_id: int
    id_value: str
    is_verified: bool = False
    is_expired: bool = False
    is_shared: bool = False
    verified_by: int = 0


def choose_identity(
    identities: Iterable[RegistryIdentity],
    type_ids: Iterable[int] = (),
    with_expired: bool = False,
) -> RegistryIdentity | None:
    """Return the ID to which a person is paid, or None.

    One of the first type in ``type_ids`` that the person has; otherwise a verified ID
    comes before others, and the older row first. Expired IDs are chosen only to end
    what was linked to them, with ``with_expired``, and after all others.

    >>> first, second = (
    ...     RegistryIdentity(n, 1, n, str(n), is_verified=n == 2) for n in (1, 2)
    ... )
    >>> choose_identity([first, second]).id_value
    '2'
    >>> choose_identity([first, second], [1]).id_value
    '1'
    >>> choose_identity([]) is None
    True
    >>> expired = RegistryIdentity(3, 1, 3, "3", is_expired=True)
    >>> choose_identity([expired]) is None
    True
    >>> choose_identity([expired], with_expired=True).id_value
    '3'
    """
    usable = [one for one in identities if with_expired or not one.is_expired]
    if len(usable) < 2:
        return usable[0] if usable else None
    order = {type_id: place for place, type_id in enumerate(type_ids)}
    last = len(order)
    return min(
        usable,
        key=lambda one: (
            one.is_expired,
            order.get(one.type_id, last),
            not one.is_verified,
            one.row_id,
        ),
    )
