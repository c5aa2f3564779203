"""Whether code comes from addons only, and the code that a template contains."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Protocol

#: The setting of the operator in the environment of every Odoo process. Nothing inside
#: Odoo can change it: neither its administrator nor an expression.
VARIABLE = "SPAR_ADDON_CODE_ONLY"
OFF = "off"

_DIRECTIVE = "t-"
_CALL = "t-call"
#: Names of templates, blocks and pictures, which are not evaluated.
_NAMES = frozenset(
    (
        "t-ignore",
        "t-name",
        "t-snippet",
        "t-snippet-call",
        "t-thumbnail",
        "t-translation",
    )
)


class Element(Protocol):
    """What is read of an element of a template, as of one of ``lxml``."""

    tag: str
    text: str | None
    attrib: Mapping[str, str]


def is_addon_code_only() -> bool:
    """Return whether addons alone bring code: unless it is off.

    Any other word than ``off`` leaves it on: a misspelt setting opens nothing.
    """
    return os.environ.get(VARIABLE, "").strip().lower() != OFF


def list_code(elements: Iterable[Element]) -> set[tuple[str, str]]:
    """Return what QWeb evaluates in a template: attributes with their values.

    The attributes of a call are its arguments, and a view that changes an attribute of
    another view can change any of these.

    :param elements: all elements of the template, without comments

    >>> from lxml.etree import fromstring
    >>> sorted(list_code(fromstring('<p id="a" t-if="x  and y" t-name="b"/>').iter()))
    [('t-if', 'x and y')]
    >>> sorted(list_code(fromstring('<t t-call="c.d" title="e.f()"/>').iter()))
    [('t-call', 'c.d'), ('title', 'e.f()')]
    >>> list_code(fromstring('<a><attribute name="t-if">x</attribute></a>').iter())
    {('attribute', 't-if x')}
    """
    found = set()
    for element in elements:
        if element.tag == "attribute":
            found.add((element.tag, _join(*element.attrib.values(), element.text)))
        for name, value in element.attrib.items():
            is_code = name.startswith(_DIRECTIVE) and name not in _NAMES
            if is_code or _CALL in element.attrib:
                found.add((name, _join(value)))
    return found


def _join(*texts: str | None) -> str:
    return " ".join(" ".join(text or "" for text in texts).split())
