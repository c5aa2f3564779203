"""Counts of sealed values, as they are shown to the person who chose what is counted.

Whoever chooses a pattern, a prefix or a list freely, and asks again and again, reads a
value digit by digit from exact counts: whether one row more matches is one bit. So such
a count is given in tens, and nobody can tell a count below five from none. With fixed
edges between the figures, somebody could ask for one row more beside as many known ones
as reach an edge. Therefore the edges differ by question.
"""

from __future__ import annotations

from typing import NamedTuple

#: Figures are multiples of this.
STEP = 10
#: Of fewer rows than this, no figure is shown.
FEWEST = 2 * STEP
#: The lowest edge below which a count is shown as "fewer than 10"; the highest is 10.
_LEAST = 5


class Edges(NamedTuple):
    """Where one figure ends and the next one begins, for one question.

    ``few`` is the lowest count that is not few (5 to 10), and ``shift`` is added before
    a count is rounded down to tens (0 to 9).
    """

    few: int
    shift: int


def draw_edges(mac: bytes) -> Edges:
    """Return the edges for the figures of a question.

    :param mac: the question's MAC, so that nobody can compute the edges, and asking the
        same again gives nothing new

    >>> draw_edges(bytes(8)), draw_edges(bytes((0, 0, 0, 5, 0, 0, 0, 19)))
    (Edges(few=5, shift=0), Edges(few=10, shift=9))
    """
    first, second = (int.from_bytes(mac[at : at + 4], "big") for at in (0, 4))
    return Edges(_LEAST + first % (STEP - _LEAST + 1), second % STEP)


def blur(count: int, whole: int, edges: Edges) -> int:
    """Return the figure shown for ``count`` of ``whole`` rows.

    It is 0 for fewer than ten, ``whole`` for all but fewer than ten, and else a
    multiple of ten near the count. Of so few rows that these overlap, it is always 0.

    >>> low, high = Edges(5, 0), Edges(10, 9)
    >>> [blur(count, 1208, low) for count in (0, 4, 5, 9, 57, 1203, 1204, 1208)]
    [0, 0, 10, 10, 50, 1200, 1208, 1208]
    >>> [blur(count, 1208, high) for count in (0, 9, 10, 57, 1198, 1199)]
    [0, 0, 10, 60, 1200, 1208]
    >>> [blur(count, 19, low) for count in (0, 10, 19)]
    [0, 0, 0]
    """
    if whole < FEWEST or count < edges.few:
        return 0
    if whole - count < edges.few:
        return whole
    about = (count + edges.shift) // STEP * STEP
    return min(max(about, STEP), (whole - 1) // STEP * STEP)
