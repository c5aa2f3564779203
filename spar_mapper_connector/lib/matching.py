"""Which of a mapper's results belongs to which ID, where it answers carelessly."""

from __future__ import annotations

from .contract import Result


def may_answer(named: object, id_value: str | None) -> bool:
    """Return whether an answer that names this ID can be about ``id_value``.

    An answer may leave the ID out, and a request may name none.

    >>> may_answer("1", "1"), may_answer("", "1"), may_answer("1", None)
    (True, True, True)
    >>> may_answer("2", "1")
    False
    """
    return id_value is None or named in (None, "", id_value)


def match_results(ids: list[str], results: list[Result]) -> list[Result | None]:
    """Return the result for each ID, None where a mapper gave none that is certain.

    A mapper answers in the order of the requests. One that does not (half an answer,
    another order, other IDs, an ID twice) is believed only where a result names its ID
    and is the only one to do so.

    >>> from .contract import Outcome
    >>> first, second = Result(Outcome.LINKED, "1"), Result(Outcome.LINKED, "2")
    >>> match_results(["1", "2"], [second, first]) == [first, second]
    True
    >>> match_results(["1", "2"], [first]) == [first, None]
    True
    >>> match_results(["1", "2"], [first, first, second]) == [None, second]
    True
    >>> match_results(["1", "2"], [Result(Outcome.LINKED), second])[0].outcome.value
    'linked'
    """
    if len(results) == len(ids) and all(
        result.id_value in (None, id_value)
        for id_value, result in zip(ids, results, strict=True)
    ):
        return list(results)
    named: dict[str, list[Result]] = {}
    for result in results:
        named.setdefault(result.id_value or "", []).append(result)
    return [
        named[id_value][0] if len(named.get(id_value, ())) == 1 else None
        for id_value in ids
    ]
