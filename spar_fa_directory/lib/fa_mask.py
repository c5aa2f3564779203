"""Masking: a financial address is never shown to people in full.

At most four characters of a value, and at most a quarter of them, are shown.
"""

from collections.abc import Collection, Mapping

from .fa_syntax import Strategy

DOT = "•"
_SHOWN = 4
_MAX_DOTS = 24
_CODE_LENGTH, _CODE_DIGITS = 16, 4


def mask(text: str) -> str:
    """Return ``text`` with everything but its tail masked.

    A long text is cut, so that the mask does not reveal its length.

    >>> mask("1234567890123456")
    '••••••••••••3456'
    >>> mask("12345678")
    '••••••78'
    >>> mask("123")
    '•••'
    """
    shown = min(_SHOWN, len(text) // 4)
    tail = text[len(text) - shown :]
    if not tail.isprintable():
        # A mark such as right-to-left would turn the mask around.
        tail = DOT * shown
    return DOT * min(_MAX_DOTS, len(text) - shown) + tail


def get_hidden(text: str) -> str:
    """Return the part of ``text`` that its mask hides.

    >>> get_hidden("1234567890123456"), get_hidden("123")
    ('123456789012', '123')
    """
    return text[: len(text) - min(_SHOWN, len(text) // 4)]


def mask_parts(parts: Mapping[str, str], shown: Collection[str]) -> dict[str, str]:
    """Return the parts, masking every value whose key is not in ``shown``.

    >>> mask_parts({"account_number": "12345678", "bank_code": "DEMO"}, {"bank_code"})
    {'account_number': '••••••78', 'bank_code': 'DEMO'}
    """
    return {key: value if key in shown else mask(value) for key, value in parts.items()}


def mask_address(
    strategy: Strategy, parts: Mapping[str, str], shown: Collection[str]
) -> str:
    """Return the address as the strategy writes it, masking all but ``shown`` values.

    It is for display only: nothing is escaped.

    >>> from .fa_syntax import compile_strategy
    >>> account = compile_strategy("account:{number}@{bank}")
    >>> mask_address(account, {"number": "1234567890123456", "bank": "B"}, {"bank"})
    'account:••••••••••••3456@B'
    """
    masked = mask_parts(parts, shown)
    pieces = [strategy.literals[0]]
    for key, literal in zip(strategy.keys, strategy.literals[1:], strict=True):
        pieces += (masked[key], literal)
    return "".join(pieces)


def looks_like_code(value: str) -> bool:
    """Return whether an unknown provider or branch may nevertheless be shown.

    An account number may have been written in its place, so a code is short and has few
    digits.

    >>> looks_like_code("BR01"), looks_like_code("123456789")
    (True, False)
    """
    return (
        len(value) <= _CODE_LENGTH
        and value.isascii()
        and value.isprintable()
        and sum(map(str.isdigit, value)) <= _CODE_DIGITS
    )
