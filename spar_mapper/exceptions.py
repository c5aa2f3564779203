"""Errors of the store that concern a whole call; each leaf class is one cause."""

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    MapperError,
    SealBroken,
)


class StoreError(MapperError):
    """Base of the store's own errors."""


class DirectWriteRefused(StoreError):
    """A write to a table of the store bypassed the mapper's methods."""

    code = "direct_write_refused"


class IdMoved(StoreError):
    """A stored ID was rewritten in another form between two reads: retry."""

    code = "id_moved"


class NoSuchChange(StoreError):
    """The change is no longer pending, or never was."""

    code = "no_such_change"


class ChangeFrozen(StoreError):
    """The owner has objected: the change stays pending until that is decided."""

    code = "change_frozen"


class NotForApproval(StoreError):
    """The change waits for its time, which no one can shorten."""

    code = "not_for_approval"


class SamePerson(StoreError):
    """A change needs a second person, but the same person tried to decide it."""

    code = "same_person"


class TakesPart(StoreError):
    """Somebody who takes part in a case cannot decide it; ``code`` says as what."""

    def __init__(self, part: str):
        super().__init__(part)
        self.code = f"takes_part_{part}"


class OwnCase(StoreError):
    """Whoever opened a case cannot decide it: a word alone moves and stops nothing."""

    code = "own_case"


class OwnDoing(StoreError):
    """The person who performed the disputed act may not close the case."""

    code = "own_doing"


class NotDecidable(StoreError):
    """People cannot be merged now; ``code`` says why."""

    def __init__(self, why: str):
        super().__init__(why)
        self.code = f"not_decidable_{why}"


class ContestedId(InvalidIdentifier):
    """An ID is contested, and the text matches none of its spellings.

    It belongs to several people until staff decide.
    """

    def __init__(self) -> None:
        super().__init__("contested")


class BrokenId(InvalidIdentifier):
    """The owner of an ID cannot be determined: the row that says so was altered."""

    def __init__(self) -> None:
        super().__init__("integrity")


class NoSuchObjection(StoreError):
    """The case is already closed, or never existed."""

    code = "no_such_objection"


class HistoryDiffers(StoreError):
    """The history does not match the last checkpoint.

    ``findings`` lists the differences: (table, row id, problem).
    """

    code = "history_differs"

    def __init__(self, findings: list[tuple[str, int, str]]):
        super().__init__("the history differs from the last checkpoint")
        self.findings = findings


class WritersStayOpen(StoreError):
    """No checkpoint can be taken: a transaction that writes does not end."""

    code = "writers_stay_open"


class RowBroken(SealBroken):
    """A row is not what the store wrote.

    ``problem`` locates it, as an alarm names it: (table, row id, what is wrong).
    """

    code = "row_broken"

    def __init__(self, table: str, row_id: int, text: str):
        super().__init__(text)
        self.problem = (table, row_id, text)
