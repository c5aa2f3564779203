"""The one table that translates outcomes into the words of the protocol.

Codes beyond the published lists, which have none for these cases (g2p-connect.md 6.1,
A5 and A6): ``rjct.id.invalid``, ``rjct.fa.invalid``, ``rjct.mobile_number.invalid``,
``rjct.other.error`` and ``rjct.unknown.retry`` on update and unlink,
``rjct.unknown.retry`` on resolve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from ..contract import PROCESSING, Operation, Outcome


class Answer(NamedTuple):
    """Status, reason code and text of an item; ``values`` fill its placeholders."""

    status: str
    code: str = ""
    text: str = ""
    values: Mapping[str, object] | None = None


class _Marked:
    """``marked._("text")`` marks a text for translation, as ``env._`` does in models.

    Here the text stays as it is: the code that answers knows the language and
    translates it.
    """

    @staticmethod
    def _(text: str) -> str:
        return text


marked = _Marked()


# Reasons for which an item is refused before the mapper is called.
MISSING = marked._("%(member)s: is missing.")
NO_TEXT = marked._("%(member)s: must be a string.")
EMPTY = marked._("%(member)s: must not be empty.")
TOO_LONG = marked._("%(member)s: must have at most %(maximum)s characters.")
CONTROL = marked._("%(member)s: must not contain control characters.")
NO_OBJECT = marked._("The item must be an object.")
REPEATED = marked._("reference_id: must be unique within the message.")
NO_TIMESTAMP = marked._("timestamp: must be an RFC 3339 date-time with a time zone.")
NO_SCOPE = marked._("scope: must be yes_no or details.")
NO_ID_OR_FA = marked._("id: either id or fa is required.")
NO_LIST = marked._("additional_info: must be an array.")
NO_PAIRS = marked._("additional_info: must contain objects with a name and a value.")
TOO_MUCH = marked._("additional_info: must have at most %(maximum)s characters.")


def rejected(code: str, text: str, **values: object) -> Answer:
    """Return the answer to an item that is refused."""
    return Answer("rjct", code, text, values or None)


# The members that a resolve contains.
BY_ID = "by_id"
BY_FA = "by_fa"
BY_BOTH = "by_both"

_DONE = Answer("succ")
_NOT_LINKED = rejected("rjct.id.invalid", marked._("The ID is not linked."))
_FOREIGN = rejected(
    "rjct.fa.invalid", marked._("fa: is not at one of this participant's providers.")
)

_RETURNED = rejected(
    "rjct.other.error",
    marked._(
        "This request has already passed through this registry: two mappers refer to "
        "each other."
    ),
)
_NOT_SUPPORTED = rejected(
    "rjct.other.error", marked._("The mapper of this ID type does not support this.")
)

#: Problems of a resolve that finds an ID whose provider or branch has closed: the
#: returned address is the one at the successor.
REPLACED = frozenset(("provider_replaced", "branch_replaced"))

#: (operation, outcome, query or problem) -> answer.
#: None stands for any operation, "" for any query and any problem.
_ANSWERS: dict[tuple[Operation | None, Outcome, str], Answer] = {
    (Operation.LINK, Outcome.LINKED, ""): _DONE,
    (Operation.LINK, Outcome.ALREADY_LINKED, ""): rejected(
        "rjct.id.invalid", marked._("The ID is already linked.")
    ),
    (Operation.LINK, Outcome.ALREADY_LINKED, "same_fa"): rejected(
        "rjct.id.invalid", marked._("The ID is already linked to this address.")
    ),
    (Operation.LINK, Outcome.ALREADY_LINKED, "other_fa"): rejected(
        "rjct.id.invalid", marked._("The ID is linked to another address.")
    ),
    (Operation.LINK, Outcome.FORBIDDEN, "foreign_provider"): _FOREIGN,
    (Operation.UPDATE, Outcome.UPDATED, ""): _DONE,
    (Operation.UPDATE, Outcome.FORBIDDEN, "foreign_provider"): _FOREIGN,
    (Operation.UPDATE, Outcome.NOT_LINKED, ""): _NOT_LINKED,
    (Operation.UPDATE, Outcome.FORBIDDEN, ""): _NOT_LINKED,
    (Operation.UNLINK, Outcome.UNLINKED, ""): _DONE,
    (Operation.UNLINK, Outcome.NOT_LINKED, ""): _NOT_LINKED,
    (Operation.UNLINK, Outcome.FORBIDDEN, ""): _NOT_LINKED,
    (Operation.UNLINK, Outcome.FA_MISMATCH, ""): rejected(
        "rjct.fa.invalid", marked._("fa: is not the address of this ID.")
    ),
    (Operation.RESOLVE, Outcome.FOUND, BY_ID): Answer("succ", "succ.id.active"),
    (Operation.RESOLVE, Outcome.FOUND, BY_BOTH): Answer("succ", "succ.id.active"),
    (Operation.RESOLVE, Outcome.FOUND, BY_FA): Answer("succ", "succ.fa.active"),
    (Operation.RESOLVE, Outcome.FA_MISMATCH, ""): Answer(
        "succ", "succ.fa.not_linked_to_id"
    ),
    (Operation.RESOLVE, Outcome.NOT_LINKED, ""): Answer("succ", "succ.id.not_found"),
    (Operation.RESOLVE, Outcome.NOT_LINKED, BY_FA): Answer("succ", "succ.fa.not_found"),
    (Operation.RESOLVE, Outcome.SUSPENDED, ""): Answer("succ", "succ.fa.inactive"),
    (Operation.RESOLVE, Outcome.SUSPENDED, "payments_stopped"): Answer(
        "succ", "succ.id.inactive"
    ),
    (Operation.RESOLVE, Outcome.SUSPENDED, "provider_closed"): Answer(
        "succ", "succ.fa.inactive", marked._("The provider of this address has closed.")
    ),
    (Operation.RESOLVE, Outcome.SUSPENDED, "branch_closed"): Answer(
        "succ", "succ.fa.inactive", marked._("The branch of this address has closed.")
    ),
    # The address in the request no longer exists; that of its successor is returned.
    (Operation.RESOLVE, Outcome.FOUND, "provider_replaced"): Answer(
        "succ",
        "succ.fa.inactive",
        marked._("The provider of this address has closed; its successor has it now."),
    ),
    (Operation.RESOLVE, Outcome.FOUND, "branch_replaced"): Answer(
        "succ",
        "succ.fa.inactive",
        marked._("The branch of this address has closed; its successor has it now."),
    ),
    # Unknown and forbidden look alike.
    (Operation.RESOLVE, Outcome.FORBIDDEN, ""): Answer("succ", "succ.id.not_found"),
    (Operation.RESOLVE, Outcome.FORBIDDEN, BY_FA): Answer("succ", "succ.fa.not_found"),
    (Operation.RESOLVE, Outcome.FORBIDDEN, "several_ids"): rejected(
        "rjct.resolve_type.not_supported",
        marked._("fa: is linked to several IDs; resolve by id."),
    ),
    (Operation.RESOLVE, Outcome.FORBIDDEN, "not_comparable"): rejected(
        "rjct.resolve_type.not_supported",
        marked._(
            "fa: whether an ID has this address is not disclosed to this participant."
        ),
    ),
    (Operation.RESOLVE, Outcome.FORBIDDEN, "no_details"): rejected(
        "rjct.resolve_type.not_supported",
        marked._("scope: details are not disclosed to this participant."),
    ),
    (Operation.RESOLVE, Outcome.FORBIDDEN, "not_by_fa"): rejected(
        "rjct.resolve_type.not_supported",
        marked._("id: is required for this participant."),
    ),
    (Operation.RESOLVE, Outcome.LOCKED, ""): rejected(
        "rjct.id.invalid",
        marked._("The address of this ID cannot be disclosed at present."),
    ),
    (None, Outcome.INVALID_ID, ""): rejected(
        "rjct.id.invalid", marked._("id: is not a valid ID.")
    ),
    (None, Outcome.INVALID_ID, "placeholder"): rejected(
        "rjct.id.invalid", marked._("id: is a placeholder, not an ID.")
    ),
    (None, Outcome.INVALID_ID, "check"): rejected(
        "rjct.id.invalid", marked._("id: does not pass the check of its ID type.")
    ),
    (None, Outcome.INVALID_ID, "card"): rejected(
        "rjct.id.invalid",
        marked._("id: does not have the format printed on the card of its ID type."),
    ),
    (None, Outcome.INVALID_ID, "alike"): rejected(
        "rjct.id.invalid",
        marked._("id: has the prefix or suffix of another ID type."),
    ),
    (None, Outcome.INVALID_FA, ""): rejected(
        "rjct.fa.invalid", marked._("fa: is not a valid financial address.")
    ),
    (None, Outcome.INVALID_FA, "unread"): rejected(
        "rjct.fa.invalid",
        marked._("fa: does not have the format of any kind of address."),
    ),
    (None, Outcome.INVALID_FA, "placeholder"): rejected(
        "rjct.fa.invalid", marked._("fa: is a placeholder, not an address.")
    ),
    (None, Outcome.INVALID_FA, "provider_unknown"): rejected(
        "rjct.fa.invalid", marked._("fa: no provider has this code.")
    ),
    (None, Outcome.INVALID_FA, "provider_archived"): rejected(
        "rjct.fa.invalid", marked._("fa: this provider is no longer in use.")
    ),
    (None, Outcome.INVALID_FA, "provider_closed"): rejected(
        "rjct.fa.invalid", marked._("fa: this provider has closed.")
    ),
    (None, Outcome.INVALID_FA, "provider_replaced"): rejected(
        "rjct.fa.invalid",
        marked._("fa: this provider has closed; %(successor)s has taken over."),
    ),
    (None, Outcome.INVALID_FA, "branch_closed"): rejected(
        "rjct.fa.invalid", marked._("fa: this branch has closed.")
    ),
    (None, Outcome.INVALID_FA, "branch_replaced"): rejected(
        "rjct.fa.invalid",
        marked._("fa: this branch has closed; %(successor)s has taken over."),
    ),
    (None, Outcome.INVALID_FA, "provider_kind"): rejected(
        "rjct.fa.invalid", marked._("fa: this provider has no addresses of this kind.")
    ),
    (None, Outcome.INVALID_FA, "branch_unknown"): rejected(
        "rjct.fa.invalid", marked._("fa: this provider has no branch with this code.")
    ),
    (None, Outcome.INVALID_FA, "branch_archived"): rejected(
        "rjct.fa.invalid", marked._("fa: this branch is no longer in use.")
    ),
    (None, Outcome.INVALID_FA, "part"): rejected(
        "rjct.fa.invalid",
        marked._("fa: the part %(part)s does not pass its check (%(check)s)."),
    ),
    (None, Outcome.HELD, ""): Answer(
        "pdng", "", marked._("The change is waiting for approval.")
    ),
    (None, Outcome.HELD, PROCESSING): Answer(
        "pdng", "", marked._("The change is being processed.")
    ),
    (None, Outcome.HELD, "contested"): Answer(
        "pdng",
        "",
        marked._(
            "Several people have this ID in different spellings; staff decide. Send "
            "the spelling that was linked, or try again later."
        ),
    ),
    (None, Outcome.LOCKED, ""): rejected(
        "rjct.other.error",
        marked._("The address of this ID cannot be changed at present."),
    ),
    (None, Outcome.CONFLICT, ""): rejected(
        "rjct.other.error",
        marked._("The address of this ID has changed in the meantime."),
    ),
    (None, Outcome.CONFLICT, "older_than_current"): rejected(
        "rjct.timestamp.invalid",
        marked._("timestamp: is earlier than that of the address in force."),
    ),
    (None, Outcome.CONFLICT, "change_waiting"): rejected(
        "rjct.unknown.retry",
        marked._("Another change to this ID is waiting; try again later."),
    ),
    (None, Outcome.FORBIDDEN, ""): rejected(
        "rjct.other.error", marked._("This participant may not do this.")
    ),
    (None, Outcome.RETRY, ""): rejected(
        "rjct.unknown.retry", marked._("This cannot be done at present; try again.")
    ),
    (None, Outcome.RETRY, "unknown_effect"): rejected(
        "rjct.unknown.retry",
        marked._(
            "Whether this was done is not known; resolve the ID before you try again."
        ),
    ),
    # The same for every ID, so nothing about one is disclosed.
    **{
        (operation, Outcome.FORBIDDEN, problem): answer
        for operation in Operation
        for problem, answer in (
            ("returned", _RETURNED),
            ("not_supported", _NOT_SUPPORTED),
        )
    },
}


_Key = tuple[Operation | None, Outcome, str]

# OpenG2P 1.x, word for word (openg2p-spar.md 1.4): its texts are not translated.
_MAPPED = rejected("rjct.reference_id.duplicate", "ID and FA are already mapped")
_TO_LINK = "ID doesnt exist please link first"
_UNKNOWN = rejected("rjct.id.invalid", _TO_LINK)
_UNKNOWN_TO_UPDATE = rejected("rjct.reference_id.duplicate", _TO_LINK)
_NOT_FOUND = Answer("succ", "succ.fa.not_linked_to_id", _TO_LINK)

#: Name -> the answers of a table that differ from the one above.
_TABLES: dict[str, dict[_Key, Answer]] = {
    "g2p-connect": {},
    "openg2p-1.x": {
        (Operation.LINK, Outcome.ALREADY_LINKED, ""): _MAPPED,
        (Operation.LINK, Outcome.ALREADY_LINKED, "same_fa"): _MAPPED,
        (Operation.LINK, Outcome.ALREADY_LINKED, "other_fa"): _MAPPED,
        (Operation.UPDATE, Outcome.NOT_LINKED, ""): _UNKNOWN_TO_UPDATE,
        (Operation.UPDATE, Outcome.FORBIDDEN, ""): _UNKNOWN_TO_UPDATE,
        (Operation.UNLINK, Outcome.NOT_LINKED, ""): _UNKNOWN,
        (Operation.UNLINK, Outcome.FORBIDDEN, ""): _UNKNOWN,
        (Operation.UNLINK, Outcome.FA_MISMATCH, ""): _UNKNOWN,
        (Operation.RESOLVE, Outcome.NOT_LINKED, ""): _NOT_FOUND,
        (Operation.RESOLVE, Outcome.NOT_LINKED, BY_FA): _NOT_FOUND,
        (Operation.RESOLVE, Outcome.FORBIDDEN, ""): _NOT_FOUND,
        (Operation.RESOLVE, Outcome.FORBIDDEN, BY_FA): _NOT_FOUND,
    },
}

#: (table, code, text) of the refusal of an item -> the wording of the table.
_REPHRASED = {
    ("openg2p-1.x", "rjct.id.invalid", MISSING): rejected(
        "rjct.id.invalid", "ID is null"
    ),
    ("openg2p-1.x", "rjct.fa.invalid", MISSING): rejected(
        "rjct.fa.invalid", "FA is null"
    ),
    ("openg2p-1.x", "rjct.id.invalid", NO_ID_OR_FA): rejected(
        "rjct.reference_id.invalid", "ID is required"
    ),
}


def iterate_lines(
    operation: Operation, table: str
) -> Iterator[tuple[Outcome, str, Answer]]:
    """Yield ``(outcome, word, answer)`` of each line that ``operation`` can have.

    Those of the table itself come first, and among them those of the operation.
    """
    for lines in (_TABLES[table], _ANSWERS):
        for scope in (operation, None):
            for key, answer in lines.items():
                if key[0] is scope:
                    yield key[1], key[2], answer


def list_codes(operation: Operation) -> frozenset[str]:
    """Return every reason code that ``operation`` can have, in any table.

    >>> "succ.id.active" in list_codes(Operation.RESOLVE)
    True
    """
    lines = [line for table in (_ANSWERS, *_TABLES.values()) for line in table.items()]
    found = {answer.code for key, answer in lines if key[0] in (operation, None)}
    rephrased = {answer.code for answer in _REPHRASED.values()}
    return frozenset(found | rephrased) - {""}


def rephrase(problem: Answer, table: str) -> Answer:
    """Return ``problem`` in the words of ``table``."""
    return _REPHRASED.get((table, problem.code, problem.text), problem)


@lru_cache(maxsize=1024)
@lru_cache(maxsize=1024)
def find_answer(
    operation: Operation,
    outcome: Outcome,
    problem: str = "",
    lookup: str = "",
    table: str = "g2p-connect",
) -> Answer:
    """Return the protocol's answer to ``outcome``; the closest table line wins.

    It is cached, because the items of a batch mostly end alike. Raises KeyError when
    the table has no line: the operation cannot have that outcome.

    >>> find_answer(Operation.RESOLVE, Outcome.NOT_LINKED, lookup=BY_FA).code
    'succ.fa.not_found'
    >>> find_answer(Operation.UPDATE, Outcome.CONFLICT, "older_than_current").code
    'rjct.timestamp.invalid'
    >>> find_answer(Operation.LINK, Outcome.HELD).status
    'pdng'
    >>> find_answer(Operation.UPDATE, Outcome.NOT_LINKED, table="openg2p-1.x").text
    'ID doesnt exist please link first'
    """
    words = [word for word in (problem, lookup) if word]
    own = _TABLES[table]
    for scope in (operation, None):
        for word in (*words, ""):
            key = (scope, outcome, word)
            answer = own.get(key) or _ANSWERS.get(key)
            if answer:
                return answer
    raise KeyError((operation, outcome))
