"""What can go wrong in the store for a whole call; each leaf is one cause."""

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    MapperError,
    SealBroken,
)


class StoreError(MapperError):
    """Base of the store's own errors."""


class DirectWriteRefused(StoreError):
    """Somebody tried to write a table of the store past the mapper's methods."""

    code = "direct_write_refused"


class IdMoved(StoreError):
    """A stored ID got another form between two looks at it: ask again."""

    code = "id_moved"


class NoSuchChange(StoreError):
    """The change does not wait any more, or never did."""

    code = "no_such_change"


class NotForApproval(StoreError):
    """The change waits for its time, which nobody shortens."""

    code = "not_for_approval"


class SamePerson(StoreError):
    """A change needs a second person, and this is the first."""

    code = "same_person"


class OwnDoing(StoreError):
    """Whoever did what is disputed does not close the case."""

    code = "own_doing"


class NotDecidable(StoreError):
    """People cannot be put together now; ``code`` says why."""

    def __init__(self, why: str):
        super().__init__(why)
        self.code = f"not_decidable_{why}"


class ContestedId(InvalidIdentifier):
    """An ID is that of several people until staff decide, and this is not the spelling
    of any of them."""

    def __init__(self) -> None:
        super().__init__("contested")


class BrokenId(InvalidIdentifier):
    """Whose ID a text is cannot be said: what says so was altered."""

    def __init__(self) -> None:
        super().__init__("integrity")


class NoSuchObjection(StoreError):
    """The case is closed already, or never was."""

    code = "no_such_objection"


class HistoryDiffers(StoreError):
    """The history is not what the last checkpoint says it was.

    ``findings`` say where: (table, row id, problem).
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

    ``problem`` says where: (table, row id, what is wrong), as an alarm names it.
    """

    code = "row_broken"

    def __init__(self, table: str, row_id: int, text: str):
        super().__init__(text)
        self.problem = (table, row_id, text)
