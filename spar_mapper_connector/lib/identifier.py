"""The canonical form of an ID, and the strategies in which IDs are written.

An ID travels as ``type:value@provider`` (G2P Connect, "ID and financial address
formats"). Only the type and the provider are folded: values may be case-sensitive
digests, and folding them would merge two people.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from ..exceptions import InvalidIdentifier, InvalidIdTemplate
from .id_spelling import write_ascii_digits

MAX_LENGTH = 255

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class IdTemplate:
    """A strategy: the folded text before a value, and the one after it."""

    prefix: str
    suffix: str

    def is_like(self, canonical: str) -> bool:
        """Return whether ``canonical`` starts or ends as IDs of this strategy do.

        Blanks are ignored, and so are the differences between look-alike characters.

        >>> template = parse_template("token:{sub}@nationalId")
        >>> [template.is_like(text) for text in ("token : 1@x", "1＠NationalID", "1")]
        [True, True, False]
        """
        plain = "".join(unicodedata.normalize("NFKC", canonical).casefold().split())
        prefix, suffix = ("".join(part.split()) for part in (self.prefix, self.suffix))
        return bool(
            prefix and plain.startswith(prefix) or suffix and plain.endswith(suffix)
        )

    def extract(self, canonical: str) -> str | None:
        """Return the value inside ``canonical``, or None if it has another strategy.

        >>> parse_template("token:{sub}@nationalId").extract("token:AbC@nationalid")
        'AbC'
        """
        end = len(canonical) - len(self.suffix)
        if end <= len(self.prefix):
            return None
        if canonical.startswith(self.prefix) and canonical.endswith(self.suffix):
            return canonical[len(self.prefix) : end]
        return None

    def build(self, value: str) -> str:
        """Return the canonical ID of ``value``.

        Raises InvalidIdentifier for a value that would change the template around it.

        >>> parse_template("token:{sub}@nationalId").build("AbC")
        'token:AbC@nationalid'
        >>> parse_template("token:{sub}@nationalId").build("x@evil")
        Traceback (most recent call last):
        ...
        odoo.addons.spar_mapper_connector.exceptions.InvalidIdentifier: delimiter
        """
        value = value.strip()
        if not value:
            raise InvalidIdentifier("empty")
        if ":" in value or "@" in value:
            raise InvalidIdentifier("delimiter")
        return canonicalise(f"{self.prefix}{value}{self.suffix}")


@lru_cache(maxsize=256)
def parse_template(template: str) -> IdTemplate:
    """Return the strategy ``template``, e.g. ``token:{sub}@nationalId``.

    Raises InvalidIdTemplate unless it contains exactly one placeholder.

    >>> parse_template("token:{sub}@nationalId")
    IdTemplate(prefix='token:', suffix='@nationalid')
    """
    parts = _PLACEHOLDER.split(template)
    if len(parts) != 3:
        raise InvalidIdTemplate("placeholder")
    return IdTemplate(nfc(parts[0]).casefold(), nfc(parts[2]).casefold())


def is_plain(template: str) -> bool:
    """Return whether a strategy has kind and provider alone, and no part of a value.

    >>> [is_plain(text) for text in ("token:{sub}@nationalId", "{x}", "tax:{x}")]
    [True, True, True]
    >>> [is_plain(text) for text in ("token:20{x}@id", "token:{x}8@id", "a:1:{x}")]
    [False, False, False]
    """
    before, _name, after = _PLACEHOLDER.split(template)
    kind, colon, rest = before.partition(":")
    value, at, provider = after.partition("@")
    is_kind = not before or bool(kind and colon and not rest and "@" not in kind)
    is_provider = not after or bool(at and provider and not value)
    return is_kind and is_provider and not set(":@") & set(provider)


def fill_template(template: str, value: str) -> str:
    """Return the ID of ``value`` as people write it: with the template's own capitals.

    >>> fill_template("token:{sub}@nationalId", "4711")
    'token:4711@nationalId'
    """
    return _PLACEHOLDER.sub(lambda _match: value, template)


def canonicalise(text: str) -> str:
    """Return the one form of a whole ID, before its type processes the value in it.

    NFC; digits of every script in ASCII, no surrounding blanks; type and provider
    folded, value kept as received. Raises InvalidIdentifier with the code ``empty``,
    ``too_long`` or ``characters``.

    >>> canonicalise("TOKEN:AbC_d@NationalID")
    'token:AbC_d@nationalid'
    >>> canonicalise(" 4711"), canonicalise("٤٧١١")
    ('4711', '4711')
    >>> canonicalise("a:b@c@D")
    'a:b@c@d'
    """
    if len(text) > MAX_LENGTH:
        raise InvalidIdentifier("too_long")
    if not (text.isascii() and text.isprintable()):
        text = write_ascii_digits(nfc(text.strip()))
        check_characters(text)
    elif text[:1] == " " or text[-1:] == " ":
        text = text.strip()
    if not text:
        raise InvalidIdentifier("empty")
    return fold(text)


def fold(text: str) -> str:
    """Return ``text`` with its type and its provider folded, its value kept.

    >>> fold("ACCOUNT:AbC@BR01.Bank")
    'account:AbC@br01.bank'
    """
    left, at, provider = text.rpartition("@")
    if not at:
        left, provider = text, ""
    kind, colon, value = left.partition(":")
    if not colon:
        return f"{left}{at}{provider.casefold()}"
    return f"{kind.casefold()}:{value}{at}{provider.casefold()}"


def nfc(text: str) -> str:
    """Return Unicode's composed form: one text has only one spelling."""
    return unicodedata.normalize("NFC", text)


def check_characters(text: str) -> None:
    """Refuse control, format, surrogate, private and unassigned characters, separators.

    They are invisible: two IDs that look alike would be two people.
    """
    for character in text:
        category = unicodedata.category(character)
        if category[0] == "C" or category in ("Zl", "Zp"):
            raise InvalidIdentifier("characters")


class StoredIdentifier(str):
    """A canonical ID as the store keeps it, with its type, to be passed back to it.

    The rules of its type were applied when it was stored. Applying them again would
    turn the token of a tokenised ID into the token of a token.

    >>> stored = StoredIdentifier("token:ab@nationalid", 3)
    >>> stored, stored.type_id
    ('token:ab@nationalid', 3)
    """

    __slots__ = ("type_id",)
    type_id: int

    def __new__(cls, canonical: str, type_id: int) -> StoredIdentifier:
        stored = super().__new__(cls, canonical)
        stored.type_id = type_id
        return stored
