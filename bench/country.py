"""Invented providers and branches to measure the directory with, and the queries."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

PROVIDERS, TOWNS, QUERIES = 1500, 30_000, 1000
# fmt: off
_BEGINNINGS = [
    "ra", "na", "ma", "pa", "ta", "ga", "sa", "ka", "la", "ba", "da", "ha", "ja", "va",
    "ya", "ri", "ni", "mi", "pi", "ti", "gi", "si", "ki", "li", "bi", "di", "su", "ku",
    "tu", "nu", "mu", "ru", "bha", "dha", "kha", "gha", "sha", "cha", "tha", "jha",
    "nan", "kal", "man", "par", "san", "gar", "bal", "dal", "har", "vin",
]
_ENDINGS = [
    "pur", "garh", "nagar", "giri", "bad", "ganj", "wada", "kot", "palli", "gaon",
    "dih", "ur", "halli", "pet",
]
# fmt: on
_NAMES = (
    "Bank of {}",
    "State Bank of {}",
    "Union Bank of {}",
    "{} Cooperative Bank",
    "{} Gramin Bank",
    "{} Urban Savings Bank",
    "The {} District Central Bank",
    "{} Finance",
)
_PLACES = ("", "", "", " Main", " Road", " Main Branch", " Market", " Station Road")


@dataclass(frozen=True)
class InventedBranch:
    provider: int
    name: str
    code: str
    town: str


class Country:
    """An invented country, the same for the same number of branches."""

    def __init__(self, branches: int):
        self.chance = random.Random(branches)
        self.towns = self._make_towns()
        self.providers = [
            self.chance.choice(_NAMES).format(self.chance.choice(self.towns))
            for _number in range(PROVIDERS)
        ]
        self.branches = list(self._make_branches(branches))

    def _make_towns(self) -> list[str]:
        pick = self.chance.choice
        names = {
            "".join([pick(_BEGINNINGS) for _part in range(pick((2, 2, 3)))] + [ending])
            for ending in _ENDINGS
            for _number in range(TOWNS // len(_ENDINGS))
        }
        return sorted(name.title() for name in names)

    def _make_branches(self, count: int) -> Iterator[InventedBranch]:
        """Yield branches: a few providers have very many, most have few."""
        weights = list(accumulate(1 / (place + 3) for place in range(PROVIDERS)))
        owners = self.chance.choices(range(PROVIDERS), cum_weights=weights, k=count)
        for number, provider in enumerate(owners):
            town = self.chance.choice(self.towns)
            name = town + self.chance.choice(_PLACES)
            letters = self.providers[provider].replace(" ", "")[:4].upper()
            yield InventedBranch(provider, name, f"{letters}0{number:06d}", town)

    def make_queries(self, count: int = QUERIES) -> Iterator[tuple[str, str]]:
        """Yield what is typed, as a kind of query and its text.

        Names of branches with and without the provider's, half-typed ones, codes,
        common words, and one in three with a typing error.
        """
        for number in range(count):
            branch = self.chance.choice(self.branches)
            provider = self.providers[branch.provider]
            kind, text = self.chance.choice(
                (
                    ("provider and branch", f"{provider} {branch.name}"),
                    ("branch", branch.name),
                    ("provider", provider),
                    ("half typed", branch.town[: len(branch.town) // 2 + 1]),
                    ("code", branch.code),
                    ("common word", self.chance.choice(("bank", "main", "road", "b"))),
                )
            )
            if number % 3 == 0 and kind not in ("code", "common word", "half typed"):
                kind, text = f"{kind}, mistyped", mistype(text, self.chance)
            yield kind, text.lower()


def mistype(text: str, chance: random.Random) -> str:
    """Return the text with one typing error in its longest word.

    >>> mistype("Bank of India", random.Random(1))
    'Bank of Idnia'
    """
    word = max(text.split(), key=len)
    place = chance.randrange(1, len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    wrong = chance.choice(
        (
            before + after,
            before + letter * 2 + after,
            before + after[0] + letter + after[1:],
        )
    )
    return text.replace(word, wrong, 1)
