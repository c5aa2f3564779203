"""Whether code comes from addons only, and the code that a template contains."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Protocol

#: The setting of the operator in the environment of every Odoo process. Nothing inside
#: Odoo can change it: neither its administrator nor an expression.
VARIABLE = "SPAR_ADDON_CODE_ONLY"
OFF = "off"

_DIRECTIVE = "t-"
#: The element that calls a template, by one of several directives.
_CALLING = "t"
#: Directives that are not evaluated.
_NAMES = frozenset(("t-ignore", "t-name", "t-translation"))
#: The ends of the names of arguments that are formats.
_FORMATS = (".f", ".translate")
#: What calls nothing and gives no variable, should it be evaluated.
_WORDS = re.compile(r"(?!.*\b(and|else|or)\b)[^\W\d_][\w -]*|")
#: The directives of a block that somebody saves: the key of its template, a picture.
_BLOCK = frozenset(("t-snippet", "t-thumbnail"))
#: What ends or begins something in Python's source, or in a format of QWeb.
_CODE = re.compile(r"""['"\\{}()\[\]\r\n]""")


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

    Every directive counts, whatever follows in its name. Each attribute of a ``t`` can
    be the argument of a call, perhaps only by another view, which changes attributes.

    :param elements: all elements of the template, without comments

    >>> from lxml.etree import fromstring
    >>> sorted(list_code(fromstring('<p id="a" t-if="x  and y" t-name="b"/>').iter()))
    [('t-if', 'x and y')]
    >>> sorted(list_code(fromstring('<t t-call="c.d" title="e.f()"/>').iter()))
    [('t-call', 'c.d'), ('title', 'e.f()')]
    >>> sorted(list_code(fromstring('<t b.f="c.d" e="Pop up" g="h" i="J()"/>').iter()))
    [('g', 'h'), ('i', 'J()')]
    >>> list_code(fromstring('<t a="Pop or records"/>').iter())
    {('a', 'Pop or records')}
    >>> list_code(fromstring('<p t-att-a.f="b()"/>').iter())
    {('t-att-a.f', 'b()')}
    >>> list_code(fromstring('<t t-snippet="a.b" t-thumbnail="/c.png"/>').iter())
    set()
    >>> list_code(fromstring('<t t-snippet="{{a}}"/>').iter())
    {('t-snippet', '{{a}}')}
    >>> list_code(fromstring('<a><attribute name="t-if">x</attribute></a>').iter())
    {('attribute', 't-if x')}
    """
    found = set()
    for element in elements:
        tag = element.tag.rpartition("}")[2]
        if tag == "attribute" and not _is_name(element):
            found.add((tag, _join(*element.attrib.values(), element.text)))
        if tag == _CALLING and _is_block(element):
            continue
        for name, value in element.attrib.items():
            is_argument = tag == _CALLING and not _is_text(name, value)
            if name not in _NAMES and (name.startswith(_DIRECTIVE) or is_argument):
                found.add((name, _join(value)))
    return found


def _is_name(element: Element) -> bool:
    """Return whether a view gives another one, which it is based on, a new name."""
    return element.attrib.get("name") in _NAMES and is_plain(element.text or "")


def _is_text(name: str, value: str) -> bool:
    """Return whether an argument is words, or a format with no expression in it."""
    is_format = name.endswith(_FORMATS) and "{" not in value
    # Variables have small letters; titles and labels begin with another one.
    is_title = bool(_WORDS.fullmatch(value)) and not value[:1].islower()
    return is_format or is_title


def _is_block(element: Element) -> bool:
    """Return whether an element names the template of a block, and nothing else."""
    is_named = "t-snippet" in element.attrib and _BLOCK.issuperset(element.attrib)
    return is_named and all(map(is_plain, element.attrib.values()))


def is_plain(text: str) -> bool:
    """Return whether a text adds nothing to code into which somebody copies it.

    >>> is_plain("website.s_text-block"), is_plain("Text - Image"), is_plain("en_US")
    (True, True, True)
    >>> is_plain("a', 'b"), is_plain("{{a}}"), is_plain("a()")
    (False, False, False)
    """
    return not _CODE.search(text)


def _join(*texts: str | None) -> str:
    return " ".join(" ".join(text or "" for text in texts).split())
