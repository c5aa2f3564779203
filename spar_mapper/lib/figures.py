"""Counts of sealed values, as they are shown to the person who chose what is counted.

Whoever chooses a pattern, a prefix or a list freely, and asks again and again, reads a
value digit by digit from exact counts: whether one row more matches is one bit. So such
a count is given in tens, and nobody can tell a count below ten from none. A threshold
alone would only move the question to its edge, where one row more still makes a
difference; therefore the edge is moved, by a number that a question always gets.
"""

from __future__ import annotations

#: Figures are multiples of this.
STEP = 10
#: Of fewer rows than this, no figure is shown.
FEWEST = 2 * STEP
#: The most by which a figure is moved before it is rounded.
MOST_NOISE = 5


def draw_noise(mac: bytes) -> int:
    """Return the number by which the figures of a question are moved.

    :param mac: the question's MAC, so that nobody can compute the number, and asking
        the same again gives nothing new

    >>> draw_noise(bytes(4)), draw_noise(bytes((0, 0, 0, 10)))
    (-5, 5)
    """
    return int.from_bytes(mac[:4], "big") % (2 * MOST_NOISE + 1) - MOST_NOISE


def blur(count: int, whole: int, noise: int = 0) -> int:
    """Return the figure shown for ``count`` of ``whole`` rows.

    It is 0 for fewer than ten, ``whole`` for all but fewer than ten, and else a
    multiple of ten near the count. Of so few rows that these overlap, it is always 0.

    >>> [blur(count, 1208) for count in (0, 1, 4, 57, 1203, 1207, 1208)]
    [0, 0, 0, 60, 1200, 1208, 1208]
    >>> [blur(9, 1208, noise) for noise in (-5, 0, 5)]
    [0, 10, 10]
    >>> [blur(count, 19) for count in (0, 10, 19)]
    [0, 0, 0]
    >>> blur(1200, 1210, 5)
    1200
    """
    moved = count + noise
    if whole < FEWEST or moved < MOST_NOISE:
        return 0
    if whole - moved < MOST_NOISE:
        return whole
    about = (moved + STEP // 2) // STEP * STEP
    return min(about, (whole - 1) // STEP * STEP)
