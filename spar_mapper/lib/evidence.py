"""Stored documents of a person: the permitted types, and how an event names one."""

from __future__ import annotations

import struct

#: The purpose for which it is sealed, and the prefix of its number in an event.
EVIDENCE, _PREFIX = "evidence", "evidence:"
#: How a file of each kind begins; the type that its name claims is ignored.
_BEGINNINGS = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}
#: The most pixels of an image: that of any phone, and what any browser can show.
MAX_PIXELS = 200_000_000
#: The segments of a JPEG file that state its width and height.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: The brands of photos that phones take in HEIF, and where a file states its brand.
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_HEIC_MARK = b"ftyp"


def is_heic(data: bytes) -> bool:
    """Return whether ``data`` is a photo as some phones take it, which is not stored.

    >>> is_heic(bytes(4) + b"ftypheic..."), is_heic(b"GIF89a")
    (True, False)
    """
    return data[4:8] == _HEIC_MARK and data[8:12] in _HEIC_BRANDS


def get_media_type(data: bytes) -> str:
    """Return the media type of ``data`` by its content, or "" if it may not be stored.

    >>> get_media_type(b"%PDF-1.7 ..."), get_media_type(b"<svg onload=...>")
    ('application/pdf', '')
    """
    kinds = (kind for begin, kind in _BEGINNINGS.items() if data.startswith(begin))
    return next(kinds, "")


def count_pixels(data: bytes) -> int:
    """Return how many pixels a PNG or JPEG image claims to have; 0 for other files.

    A small file may claim so many that whoever looks at it runs out of memory.

    >>> head = b"\\x89PNG\\r\\n\\x1a\\n" + bytes(4) + b"IHDR"
    >>> count_pixels(head + bytes([0, 0, 1, 0, 0, 0, 2, 0]))
    131072
    >>> frame = bytes([0xFF, 0xC0, 0, 11, 8, 0, 3, 0, 5])
    >>> count_pixels(b"\\xff\\xd8\\xff\\xe0" + bytes([0, 3, 9]) + frame)
    15
    >>> count_pixels(b"%PDF-1.7"), count_pixels(b"\\xff\\xd8\\xff")
    (0, 0)
    """
    kind = get_media_type(data)
    if kind == "image/png" and data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width * height)
    return _count_jpeg_pixels(data) if kind == "image/jpeg" else 0


def _count_jpeg_pixels(data: bytes) -> int:
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker, length = struct.unpack(">BH", data[position + 1 : position + 4])
        if marker == 0xFF:  # Any number of these may precede a segment.
            position += 1
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return int(width * height)
        position += 2 + length
    return 0


def build_reference(uuid: str) -> str:
    """Return the reference by which an event names the document with that number."""
    return _PREFIX + uuid


def is_evidence(reference: str) -> bool:
    """Return whether a message reference names a stored document.

    >>> is_evidence(build_reference("a1")), is_evidence("msg-7")
    (True, False)
    """
    return reference.startswith(_PREFIX)


def get_number(reference: str) -> str:
    """Return the number of the document that a message reference names, or "".

    >>> get_number(build_reference("a1")), get_number("msg-7")
    ('a1', '')
    """
    return reference.removeprefix(_PREFIX) if is_evidence(reference) else ""
