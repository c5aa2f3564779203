"""A file that is stored in pieces, read like any other file.

Only the pieces that are being read are in memory, so its size does not matter.

>>> whole = b"National ID,Account number"
>>> file = PieceStream(len(whole), 10, lambda place: whole[place * 10 :][:10])
>>> end = file.seek(-6, 2)
>>> file.read(), file.seek(9), file.read(1)
(b'number', 9, b'I')
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

#: The size of a piece: whole groups of three bytes, as base64 writes them.
PIECE_BYTES = 3 << 18
_MEMORY = 4


class PieceStream(io.RawIOBase):
    """A file of ``size`` bytes, of which ``fetch`` returns one piece by its place."""

    def __init__(
        self, size: int, piece_size: int, fetch: Callable[[int], bytes]
    ) -> None:
        super().__init__()
        self._size, self._piece_size, self._fetch = size, piece_size, fetch
        self._position = 0
        self._pieces: dict[int, bytes] = {}

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, and return it."""
        starts = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._size,
        }
        self._position = max(starts[whence] + offset, 0)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with bytes of one piece; return how many there were."""
        place, start = divmod(self._position, self._piece_size)
        if self._position >= self._size:
            return 0
        data = self._get_piece(place)[start : start + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _get_piece(self, place: int) -> bytes:
        if place not in self._pieces:
            if len(self._pieces) >= _MEMORY:
                self._pieces.pop(next(iter(self._pieces)))
            self._pieces[place] = self._fetch(place)
        return self._pieces[place]
