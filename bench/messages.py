"""The messages that are measured, and the checks of their answers."""

import json
from collections.abc import Callable, Iterator, Sequence

from examples.payer.messages import build_items, build_message

from . import people

#: The number of a person who is or was linked, and the generation of the address.
Person = tuple[int, int]
Check = Callable[[Sequence[Person], bytes], int]


# === REQUESTS === #


def build_resolve(person: Person) -> dict:
    return {"id": people.get_id(person[0]), "scope": "details"}


def build_link(person: Person) -> dict:
    number, generation = person
    return {
        "id": people.get_id(number),
        "fa": people.get_fa(number, generation),
        "name": people.get_name(number),
        "phone_number": people.get_phone(number),
    }


def build_phone(person: Person) -> dict:
    """Return the link of a wallet, whose number must be parsed by a numbering plan."""
    return {**build_link(person), "fa": people.get_wallet_fa(person[0])}


def build_unlink(person: Person) -> dict:
    return {"id": people.get_id(person[0]), "fa": people.get_fa(*person)}


_BUILD = {
    "resolve": build_resolve,
    "link": build_link,
    "update": build_link,
    "unlink": build_unlink,
    "phone": build_phone,
}
#: The protocol's name of an operation, where it differs from the one used here.
WIRE = {"phone": "link"}


def build_messages(
    operation: str, sender: str, batches: Sequence[Sequence[Person]]
) -> Iterator[bytes]:
    """Yield a message for each batch."""
    build, wire = _BUILD[operation], WIRE.get(operation, operation)
    for batch in batches:
        items = build_items([build(person) for person in batch])
        yield json.dumps(build_message(wire, items, sender_id=sender)).encode()


# === RESPONSES === #


def _read_items(operation: str, answer: bytes) -> list[dict]:
    """Return the answers to the items; none if the message as a whole was rejected."""
    try:
        document = json.loads(answer)
    except ValueError:
        return []
    return document.get("message", {}).get(f"{operation}_response", [])


def _is_found(person: Person, item: dict) -> bool:
    number, generation = person
    provider = people.get_provider_code(people.get_provider(number))
    return (
        item.get("status_reason_code") == "succ.id.active"
        and item.get("fa") == people.get_fa(number, generation)
        and item.get("account_provider_info", {}).get("code") == provider
    )


def _is_wallet_found(person: Person, item: dict) -> bool:
    return (
        item.get("status_reason_code") == "succ.id.active"
        and item.get("fa") == people.get_stored_wallet_fa(person[0])
        and item.get("account_provider_info", {}).get("code")
        == people.get_wallet_code()
    )


#: The answers for an ID without an address: by the specification, by OpenG2P 1.x.
_GONE = ("succ.id.not_found", "succ.fa.not_linked_to_id")


def _is_gone(_person: Person, item: dict) -> bool:
    return item.get("status_reason_code") in _GONE and "fa" not in item


def _is_done(_person: Person, item: dict) -> bool:
    return "status_reason_code" not in item


def _count_wrong(operation: str, is_right: Callable) -> Check:
    def count(batch: Sequence[Person], answer: bytes) -> int:
        items = _read_items(operation, answer)
        right = sum(
            item.get("status") == "succ"
            and item.get("id") == people.get_id(person[0])
            and item.get("reference_id") == str(place)
            and is_right(person, item)
            for place, (person, item) in enumerate(
                zip(batch, items, strict=False), start=1
            )
        )
        # A surplus answer is as wrong as a missing one.
        return max(len(batch), len(items)) - right

    return count


#: ``(batch, answer) -> number of wrong answers`` of each operation.
CHECKS: dict[str, Check] = {
    "resolve": _count_wrong("resolve", _is_found),
    **{name: _count_wrong(name, _is_done) for name in ("link", "update", "unlink")},
    "phone": _count_wrong("link", _is_done),
}
#: The same for a resolve of people who were linked to wallets.
count_wallets = _count_wrong("resolve", _is_wallet_found)
#: The same for a resolve of people who are unlinked.
count_not_gone = _count_wrong("resolve", _is_gone)
