"""A colour that is readable on white, derived from the organisation's own.

WCAG 2.2, success criterion 1.4.3: 4.5 to 1. The formulas are in its definitions of
relative luminance and of contrast ratio.
"""

from __future__ import annotations

import re

DEFAULT = "#1f4e79"
#: More than the required 4.5, because the colour also appears on light grey.
MIN_CONTRAST = 6.0
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def contrast_with_white(colour: str) -> float:
    """Return the contrast ratio of ``colour`` and white.

    >>> round(contrast_with_white("#000000")), round(contrast_with_white("#ffffff"))
    (21, 1)
    """
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def readable(colour: str | None) -> str:
    """Return ``colour``, darkened until white text on it is readable.

    Anything that is not a colour is replaced by ours.

    >>> readable("#ffee00") != "#ffee00", contrast_with_white(readable("#ffee00")) >= 6
    (True, True)
    >>> readable("red;}body{display:none") == DEFAULT
    True
    """
    if not colour or not _HEX.fullmatch(colour):
        return DEFAULT
    colour = colour.lower()
    while contrast_with_white(colour) < MIN_CONTRAST:
        channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        colour = "#" + "".join(f"{int(channel * 0.9):02x}" for channel in channels)
    return colour
