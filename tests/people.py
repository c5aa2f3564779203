"""Invented people for tests: IDs and addresses that nothing else uses."""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A person with an ID and an account; ``account`` is its number alone."""

    value: str
    account: str

    @property
    def id(self) -> str:
        return f"token:{self.value}@nationalId"

    @property
    def fa(self) -> str:
        return f"account:{self.account}@BR01.DEMO"

    @property
    def resolve_item(self) -> dict:
        """Return the item that requests the address."""
        return {"id": self.id, "scope": "details"}

    def with_account(self, account: str) -> dict:
        """Return the item that gives this person another account."""
        return {"id": self.id, "fa": f"account:{account}@BR01.DEMO"}

    @property
    def linked(self) -> dict:
        """Return the item that links or confirms the address."""
        return self.with_account(self.account)


def make_people(count: int) -> list[Person]:
    """Return unknown people; with values so long that a scan finds only them."""
    return [
        Person(f"{secrets.token_hex(6)}Xy{number:04}", make_account())
        for number in range(count)
    ]


def make_card_holders(count: int) -> list[Person]:
    """Return unknown people whose IDs have the format of the demo's card.

    These are ten digits, and none that the demo's own people have.
    """
    # Drawn one by one, some of 100,000 numbers would be equal.
    numbers = secrets.SystemRandom().sample(range(9 * 10**9, 10**10), count)
    return [Person(str(number), make_account()) for number in numbers]


def make_account() -> str:
    """Return an unused account number: too short for that of a payment card."""
    return str(secrets.randbelow(9 * 10**11) + 10**11)
