"""The forms in which an ID may be stored: numbered, each with its rules as data.

A stored row has the number of its form. A form is an algorithm and a table of rules;
both change when a country changes its rules or a library is upgraded, and until every
row has the new form the old one is computed, too.

- 1: type and provider folded, the value as received.
- 2: also ignores the script of digits, surrounding blanks, and what the type ignores;
  texts that stand for an ID but are none are refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from ..exceptions import InvalidIdentifier
from . import tokenisers
from .id_rules import CardCheck, CardRule, Identifier, IdRule, read_id
from .identifier import MAX_LENGTH, IdTemplate, check_characters, fold, nfc

#: Their versions determine what a check returns for a value.
LIBRARIES = ("google-re2", "phonenumbers", "python-stdnum", "schwifty")

Reader = Callable[[Sequence[IdRule], str], Identifier]


@dataclass(frozen=True)
class IdForm:
    """One way to write IDs: its algorithm's number, and the ID types at that time."""

    algorithm: int
    rules: tuple[IdRule, ...]

    def identify(self, text: str) -> Identifier:
        """Return the ID in this form; raises InvalidIdentifier."""
        return READERS[self.algorithm](self.rules, text)

    def to_data(self) -> dict[str, Any]:
        """Return the form as JSON data, with the versions of its checks' libraries.

        >>> form = IdForm(2, (IdRule(1, IdTemplate("nid:", "")),))
        >>> load_form(form.to_data()) == form
        True
        """
        libraries = {name: version(name) for name in LIBRARIES}
        return {
            "algorithm": self.algorithm,
            "rules": [asdict(rule) for rule in self.rules],
            "libraries": {**libraries, "unicode": unicodedata.unidata_version},
        }


def load_form(data: dict[str, Any]) -> IdForm:
    """Return the form that ``IdForm.to_data`` wrote."""
    return IdForm(data["algorithm"], tuple(map(_load_rule, data["rules"])))


def _load_rule(data: dict[str, Any]) -> IdRule:
    parts = {"strategy": IdTemplate, "stored": IdTemplate, "card": CardRule}
    made = {name: kind(**data[name]) for name, kind in parts.items() if data.get(name)}
    return IdRule(**{**data, **made})


def read_in_forms(forms: Sequence[IdForm], text: str) -> list[Identifier]:
    """Return the ID of ``text`` in each of ``forms`` that accepts it, each ID once."""
    found: list[Identifier] = []
    for form in forms:
        try:
            identifier = form.identify(text)
        except InvalidIdentifier:
            continue
        if identifier not in found:
            found.append(identifier)
    return found


# === FORM 1 === #


def read_first_form(rules: Sequence[IdRule], text: str) -> Identifier:
    """Return the ID as stored before digits, gaps and capitals were normalised.

    A stored ID has passed its check, so it is not checked again.

    >>> rules = [IdRule(1, IdTemplate("token:", "@x"), ignores_gaps=True), IdRule(2)]
    >>> read_first_form(rules, "Token:20-07@X").canonical
    'token:20-07@x'
    """
    canonical = _canonicalise(text)
    for rule in rules:
        if rule.strategy is None:
            return Identifier(canonical, rule.type_id)
        value = rule.strategy.extract(canonical)
        if value is not None:
            return _read_first_value(rule, canonical, value)
    raise InvalidIdentifier("type")


def _read_first_value(rule: IdRule, canonical: str, value: str) -> Identifier:
    template = rule.stored or rule.strategy
    if template is None or (rule.tokeniser == "none" and rule.stored is None):
        return Identifier(canonical, rule.type_id)
    token = tokenisers.get_tokeniser(rule.tokeniser)(value, rule.parameter)
    if ":" in token or "@" in token:
        raise InvalidIdentifier("delimiter")
    canonical = _canonicalise(f"{template.prefix}{token}{template.suffix}")
    return Identifier(canonical, rule.type_id)


def _canonicalise(text: str) -> str:
    if not text or not text.strip():
        raise InvalidIdentifier("empty")
    if len(text) > MAX_LENGTH:
        raise InvalidIdentifier("too_long")
    if not (text.isascii() and text.isprintable()):
        text = nfc(text)
        check_characters(text)
    if text[0].isspace() or text[-1].isspace():
        raise InvalidIdentifier("spaces")
    return fold(text)


# === THE FORMS === #


def _read_second_form(rules: Sequence[IdRule], text: str) -> Identifier:
    return read_id(rules, text, CardCheck.NONE)


#: By the number of the algorithm; a number that was ever used keeps its meaning.
READERS: dict[int, Reader] = {1: read_first_form, 2: _read_second_form}
NEWEST = 2
