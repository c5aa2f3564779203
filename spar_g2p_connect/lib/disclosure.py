"""The rules of disclosure: which items are refused, and what answers contain.

The registry is not an oracle.

Whether an address belongs to an ID is disclosed only to callers that may see details,
and to the caller whose own call linked it. Every other caller gets the same answer
whether it does or not, and whether the ID is known or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    Operation,
    Outcome,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.codes import (
    BY_BOTH,
    BY_FA,
    REPLACED,
    find_answer,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import Item


@dataclass(frozen=True)
class Rights:
    """A participant's rights to call operations and to see details.

    ``extension`` is what it may ask beyond G2P Connect, as another SPAR.
    """

    operations: frozenset[Operation] = field(default=frozenset())
    sees_details: bool = False
    resolves_by_fa: bool = False
    extension: frozenset[Capability] = field(default=frozenset())

    def limit(
        self,
        operations: frozenset[Operation],
        extension: frozenset[Capability] = frozenset(),
    ) -> Rights:
        """Return these rights, limited to ``operations`` and ``extension``.

        >>> rights = Rights(extension=frozenset({Capability.HISTORY}))
        >>> rights.limit(frozenset()).extension
        frozenset()
        """
        return replace(
            self,
            operations=self.operations & operations,
            extension=self.extension & extension,
        )

    def get_capabilities(self) -> frozenset[Capability]:
        """Return what another SPAR with these rights may ask; nothing without it.

        >>> rights = Rights(frozenset({Operation.LINK}))
        >>> rights.get_capabilities()
        frozenset()
        >>> rights = replace(rights, extension=frozenset({Capability.VERSIONS}))
        >>> sorted(each.value for each in rights.get_capabilities())
        ['link', 'versions']
        """
        if Capability.VERSIONS not in self.extension:
            return frozenset()
        found = {Capability(each.value) for each in self.operations}
        if self.resolves_by_fa and Operation.RESOLVE in self.operations:
            found.add(Capability.RESOLVE_BY_FA)
        return frozenset(found) | self.extension


def refuse_items(
    rights: Rights,
    id_type_ids: frozenset[int] | None,
    items: Iterable[Item],
    find_type: Callable[[str], int],
) -> None:
    """Refuse the items that a caller may not have looked up; see ``refuse_item``."""
    for item in items:
        if not item.request:
            continue
        refusal = refuse_item(rights, id_type_ids, item, find_type)
        if refusal:
            answer = find_answer(item.operation, refusal.outcome, refusal.problem)
            item.refuse(answer)


def refuse_item(
    rights: Rights,
    id_type_ids: frozenset[int] | None,
    item: Item,
    find_type: Callable[[str], int],
) -> Result | None:
    """Return the result of an item that a caller may not have looked up, or None.

    An ID of a type that the caller may not name is answered like one of an unknown
    type, whether it is linked or not.

    :param id_type_ids: the types of ID that the caller may name; None for all
    :param find_type: returns the type of an ID; raises InvalidIdentifier
    """
    problem = get_refusal(rights, item)
    if problem:
        return Result(Outcome.FORBIDDEN, problem=problem)
    if not _may_name(id_type_ids, item.id_value, find_type):
        return Result(Outcome.INVALID_ID, problem="type")
    return None


def _may_name(
    id_type_ids: frozenset[int] | None,
    value: str | None,
    find_type: Callable[[str], int],
) -> bool:
    if id_type_ids is None or not value:
        return True
    try:
        return find_type(value) in id_type_ids
    except InvalidIdentifier:
        return True  # the mapper reports what is wrong with it


def get_refusal(rights: Rights, item: Item) -> str:
    """Return the problem for which ``item`` is refused before any look-up, or "".

    >>> item = Item(Operation.RESOLVE, fa="account:1@bank")
    >>> get_refusal(Rights(), item)
    'not_by_fa'
    >>> get_refusal(Rights(resolves_by_fa=True), item)
    ''
    >>> item = Item(Operation.RESOLVE, id_value="token:1@id", wants_details=True)
    >>> get_refusal(Rights(), item)
    'no_details'
    """
    if item.operation is not Operation.RESOLVE:
        return ""
    if item.wants_details and not rights.sees_details:
        return "no_details"
    if item.lookup == BY_FA and not rights.resolves_by_fa:
        return "not_by_fa"
    return ""


def disclose(rights: Rights, item: Item, result: Result) -> Result:
    """Return ``result``, reduced to what may be disclosed.

    >>> item = Item(Operation.RESOLVE, id_value="token:1@id", fa="account:1@bank")
    >>> for outcome in (Outcome.FOUND, Outcome.FA_MISMATCH, Outcome.NOT_LINKED):
    ...     disclosed = disclose(Rights(), item, Result(outcome))
    ...     print(disclosed.outcome.name, disclosed.problem)
    FORBIDDEN not_comparable
    FORBIDDEN not_comparable
    FORBIDDEN not_comparable
    >>> disclose(Rights(), item, Result(Outcome.FOUND, is_origin=True)).outcome.name
    'FOUND'
    """
    disclose_result = _BY_OPERATION.get(item.operation)
    return disclose_result(rights, item, result) if disclose_result else result


def _disclose_link(rights: Rights, item: Item, result: Result) -> Result:
    """Disclose whether the ID has this or another address, if the caller may compare.

    >>> linked = Result(Outcome.ALREADY_LINKED, same_fa=True)
    >>> _disclose_link(Rights(), Item(Operation.LINK), linked).problem
    ''
    >>> _disclose_link(Rights(sees_details=True), Item(Operation.LINK), linked).problem
    'same_fa'
    >>> other = Result(Outcome.ALREADY_LINKED, problem="other_fa")
    >>> _disclose_link(Rights(), Item(Operation.LINK), other).problem
    ''
    """
    if result.outcome is not Outcome.ALREADY_LINKED:
        return result
    result.problem = ""
    if result.same_fa is not None and _may_compare(rights, result):
        result.problem = "same_fa" if result.same_fa else "other_fa"
    return result


def _disclose_unlink(rights: Rights, item: Item, result: Result) -> Result:
    """Answer a wrong address as if the ID were not linked.

    >>> wrong = Result(Outcome.FA_MISMATCH)
    >>> _disclose_unlink(Rights(), Item(Operation.UNLINK), wrong).outcome.name
    'NOT_LINKED'
    >>> rights = Rights(sees_details=True)
    >>> _disclose_unlink(rights, Item(Operation.UNLINK), wrong).outcome.name
    'FA_MISMATCH'
    """
    if result.outcome is Outcome.FA_MISMATCH and not _may_compare(rights, result):
        return Result(Outcome.NOT_LINKED)
    return result


def _disclose_resolve(rights: Rights, item: Item, result: Result) -> Result:
    if item.lookup == BY_BOTH and not _may_compare(rights, result):
        return Result(Outcome.FORBIDDEN, problem="not_comparable")
    if result.outcome is not Outcome.FOUND:
        return Result(result.outcome, problem=result.problem)
    if not item.wants_details:
        problem = result.problem if result.problem in REPLACED else ""
        return Result(Outcome.FOUND, problem=problem)
    if result.problem == "several_ids":
        # Naming one of them would be a guess (g2p-connect.md 6.1, A19).
        return Result(Outcome.FORBIDDEN, problem=result.problem)
    return result


def _may_compare(rights: Rights, result: Result) -> bool:
    return rights.sees_details or result.is_origin


_Disclose = Callable[[Rights, Item, Result], Result]
_BY_OPERATION: dict[Operation, _Disclose] = {
    Operation.LINK: _disclose_link,
    Operation.UNLINK: _disclose_unlink,
    Operation.RESOLVE: _disclose_resolve,
}
