"""The conversion of a text to an ID: the rules of each ID type, as plain values.

The types of a database are a table of :class:`IdRule`; :func:`read_id` brings a text
into the one form that is stored, digested and found. ``id_forms.py`` keeps the previous
forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from odoo.addons.spar_fa_directory.lib import fa_checks
from odoo.addons.spar_fa_directory.lib.exceptions import InvalidPart
from odoo.addons.spar_fa_directory.lib.placeholders import is_placeholder

from ..exceptions import InvalidIdentifier
from . import tokenisers
from .id_compact import make_compact
from .id_spelling import remove_gaps, write_capitals
from .identifier import IdTemplate, canonicalise


class CardCheck(IntEnum):
    """The callers whose IDs must have the format of the card."""

    NONE = 0  # values that are only searched for
    PARTICIPANTS = 1  # values that participants send: where the type requires it
    PEOPLE = 2  # values that people type, show or load: always


@dataclass(frozen=True)
class CardRule:
    """The format of a type's IDs on the card; what is empty or 0 is not checked."""

    pattern: str = ""
    min_length: int = 0
    max_length: int = 0
    check: str = ""
    check_parameter: str = ""
    binds_participants: bool = False

    def fits(self, value: str) -> bool:
        """Return whether ``value`` can appear on a card.

        >>> rule = CardRule(min_length=10, max_length=10, pattern="[0-9]+")
        >>> rule.fits("2007816053"), rule.fits("200781605"), rule.fits("John Smith")
        (True, False, False)
        """
        if len(value) < self.min_length:
            return False
        if self.max_length and len(value) > self.max_length:
            return False
        return _passes(
            "regex" if self.pattern else "", value, self.pattern
        ) and _passes(self.check, value, self.check_parameter)


def _passes(code: str, value: str, parameter: str) -> bool:
    if not code:
        return True
    try:
        fa_checks.run_check(code, value, parameter)
    except InvalidPart:
        return False
    return True


@dataclass(frozen=True)
class IdRule:
    """An ID type, prepared for use on thousands of IDs."""

    type_id: int
    strategy: IdTemplate | None = None
    stored: IdTemplate | None = None
    tokeniser: str = "none"
    parameter: str = ""
    check: str = ""
    check_parameter: str = ""
    ignores_gaps: bool = False
    ignores_case: bool = False
    card: CardRule | None = None

    def spell(self, value: str) -> str:
        """Return ``value`` in the one spelling of this type.

        >>> IdRule(1, ignores_gaps=True).spell(" 2007 816-053 ")
        '2007816053'
        """
        value = value.strip()
        if self.ignores_gaps:
            value = remove_gaps(value)
        return write_capitals(value) if self.ignores_case else value

    def clean(self, value: str) -> str:
        """Return the one form of ``value``: spelt, and compact if it has a check.

        Raises InvalidIdentifier with the code ``placeholder`` or ``check``.
        """
        # The fast path for nearly all values: a number.
        if not value.isdecimal():
            if is_placeholder(value):
                raise InvalidIdentifier("placeholder")
            value = self.spell(value)
        return self._check(value) if self.check else value

    def _check(self, value: str) -> str:
        try:
            return make_compact(self.check, value, self.check_parameter)
        except InvalidPart as error:
            raise InvalidIdentifier("check") from error

    def check_card(self, value: str, card_check: CardCheck) -> None:
        """Raise InvalidIdentifier if the value needs the card's format but lacks it."""
        if self.card is None or card_check is CardCheck.NONE:
            return
        is_bound = self.card.binds_participants or card_check is CardCheck.PEOPLE
        if is_bound and not self.card.fits(value):
            raise InvalidIdentifier("card", self.type_id)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An ID in the form under which it is stored, and its type.

    ``is_stored`` means that a row with exactly this form was seen.
    """

    canonical: str
    type_id: int
    is_stored: bool = field(default=False, compare=False, repr=False)


def read_id(
    rules: Sequence[IdRule], text: str, card_check: CardCheck = CardCheck.NONE
) -> Identifier:
    """Return the stored form and the type of one ID.

    Raises InvalidIdentifier: ``empty``, ``too_long``, ``characters``, ``placeholder``
    (the text stands for an ID but is none), ``check`` (the type's own check refuses the
    value), ``card`` (it does not have the card's format), ``alike`` (it starts or ends
    like a type's strategy, but does not match it) or ``type`` (no type fits).

    >>> rules = [IdRule(1, IdTemplate("token:", "@x"), ignores_gaps=True), IdRule(2)]
    >>> read_id(rules, "Token:٢٠٠٧ 816@X"), read_id(rules, "4711")
    (Identifier(canonical='token:2007816@x', type_id=1), \
Identifier(canonical='4711', type_id=2))
    """
    canonical = canonicalise(text)
    for rule in rules:
        if rule.strategy is not None:
            value = rule.strategy.extract(canonical)
            if value is not None:
                return _read_value(rules, rule, canonical, value, card_check)
    return _read_other(rules, canonical, card_check)


def _read_value(
    rules: Sequence[IdRule],
    rule: IdRule,
    canonical: str,
    value: str,
    card_check: CardCheck,
) -> Identifier:
    """Return the ID of a type that was recognised by its strategy."""
    clean = rule.clean(value)
    if rule.card is not None:
        rule.check_card(clean, card_check)
    if rule.tokeniser == "none" and rule.stored is None:
        if clean != value and rule.strategy is not None:
            # Also right for a value that contains a ":" or "@" itself.
            canonical = f"{rule.strategy.prefix}{clean}{rule.strategy.suffix}"
        return Identifier(canonical, rule.type_id)
    token = tokenisers.get_tokeniser(rule.tokeniser)(clean, rule.parameter)
    template = rule.stored or rule.strategy
    if template is None:
        return Identifier(token, rule.type_id)
    return Identifier(_spell_stored(rules, template.build(token)), rule.type_id)


def _spell_stored(rules: Sequence[IdRule], canonical: str) -> str:
    """Return a stored ID as the type that writes such IDs reads it.

    An ID that is sent in its stored form is the same ID.
    """
    for rule in rules:
        if rule.strategy is not None and rule.tokeniser == "none":
            value = rule.strategy.extract(canonical)
            if value is not None:
                return rule.strategy.build(rule.spell(value))
    return canonical


def _read_other(
    rules: Sequence[IdRule], canonical: str, card_check: CardCheck
) -> Identifier:
    """Return the ID that no strategy recognises: in its stored form, or any other."""
    if is_placeholder(get_value(canonical)):
        raise InvalidIdentifier("placeholder")
    for rule in rules:
        if rule.stored is not None and rule.stored.extract(canonical) is not None:
            return Identifier(canonical, rule.type_id)
    if any(rule.strategy and rule.strategy.is_like(canonical) for rule in rules):
        raise InvalidIdentifier("alike")
    for rule in rules:
        if rule.strategy is None:
            clean = rule.clean(canonical)
            rule.check_card(clean, card_check)
            return Identifier(clean, rule.type_id)
    raise InvalidIdentifier("type")


def get_clean_value(rules: Sequence[IdRule], text: str) -> str:
    """Return the value in an ID as its type spells it, before it becomes a token.

    Raises InvalidIdentifier.

    >>> rule = IdRule(1, IdTemplate("nid:", ""), ignores_gaps=True)
    >>> get_clean_value([rule], "nid:1 2")
    '12'
    """
    canonical = canonicalise(text)
    for rule in rules:
        if rule.strategy is not None:
            value = rule.strategy.extract(canonical)
            if value is not None:
                return rule.clean(value)
    return get_value(canonical)


def get_value(canonical: str) -> str:
    """Return the value between type and provider.

    >>> get_value("vid:null@x"), get_value("vid:@x"), get_value("4711")
    ('null', '', '4711')
    """
    left, at, provider = canonical.rpartition("@")
    kind, colon, value = (left if at else provider).partition(":")
    return value if colon else kind
