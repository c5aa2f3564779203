"""The outcome for stored IDs when the rules for reading IDs have changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.id_forms import IdForm
from odoo.addons.spar_mapper_connector.lib.id_rules import IdRule

#: The outcomes for a row: its text stays; its text changes; the current rules refuse
#: it; its outcome cannot be determined, because only a token of the ID is stored.
SAME, OTHER, REFUSED, UNKNOWN = "same", "other", "refused", "unknown"


@dataclass(frozen=True)
class FormState:
    """The forms in which IDs are stored at present.

    :param newest: the form by the current rules
    :param number: the number under which those rules are kept; 0 if they are not kept
        yet
    :param older: other forms of which rows may exist, with their numbers; newest first
    :param contested: whether there are rows that would coincide
    :param foreseen: whether a dry run has recorded the outcome of older rows
    :param known: forms whose rules are unchanged, library versions included, by number
    :param problem: why none of this can be trusted, as an alarm names it
    """

    newest: IdForm
    number: int
    older: tuple[tuple[int, IdForm], ...]
    contested: bool
    foreseen: bool = False
    known: Mapping[int, IdForm] = field(default_factory=dict)
    problem: tuple[str, int, str] | None = None

    @property
    def is_plain(self) -> bool:
        """Return whether only the current rules determine how a text is read."""
        return not (self.older or self.contested or self.problem)

    def has_row(self, number: int, canonical: str, type_id: int) -> bool:
        """Return whether a row with this ID can be in the form ``number``.

        This cannot be determined for a token, or if a library has changed since.
        """
        form = self.known.get(number)
        if form is None:
            return number in [older for older, _form in self.older]
        if _is_token(find_rule(form.rules, type_id)):
            return True
        try:
            return form.identify(canonical).canonical == canonical
        except InvalidIdentifier:
            return False


class IdOutcome(NamedTuple):
    """The outcome for one stored ID."""

    verdict: str
    canonical: str
    type_id: int


def to_plain(form: IdForm) -> dict[str, Any]:
    """Return a form as it is kept and compared.

    The appearance of an ID on the card is left out: it only affects who may enter it,
    not how it is stored.
    """
    rules = tuple(replace(rule, card=None) for rule in form.rules)
    plain: dict[str, Any] = json.loads(json.dumps(replace(form, rules=rules).to_data()))
    return plain


def find_rule(rules: Sequence[IdRule], type_id: int) -> IdRule | None:
    """Return the rule of an ID type without its card, or None if it has none."""
    return next(
        (replace(rule, card=None) for rule in rules if rule.type_id == type_id), None
    )


def read_in_form(
    old: IdForm | None, new: IdForm, canonical: str, type_id: int
) -> IdOutcome:
    """Return what an ID stored in the form ``old`` becomes in the form ``new``.

    >>> from odoo.addons.spar_mapper_connector.lib.identifier import IdTemplate
    >>> rule = IdRule(1, IdTemplate("nid:", ""), ignores_gaps=True)
    >>> read_in_form(IdForm(1, (rule,)), IdForm(2, (rule,)), "nid:4 7-11", 1)
    IdOutcome(verdict='other', canonical='nid:4711', type_id=1)
    """
    kept = find_rule(old.rules, type_id) if old else None
    rule = find_rule(new.rules, type_id)
    if _is_token(kept) or _is_token(rule):
        is_same = kept == rule and old is not None and old.algorithm == new.algorithm
        return IdOutcome(SAME if is_same else UNKNOWN, canonical, type_id)
    try:
        found = new.identify(canonical)
    except InvalidIdentifier:
        return IdOutcome(REFUSED, canonical, type_id)
    is_same = (found.canonical, found.type_id) == (canonical, type_id)
    return IdOutcome(SAME if is_same else OTHER, found.canonical, found.type_id)


def _is_token(rule: IdRule | None) -> bool:
    """Return whether only a token of the ID is stored, which does not reveal it."""
    return rule is not None and (rule.tokeniser != "none" or rule.stored is not None)
