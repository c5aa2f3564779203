"""Stored documents of a person: the permitted types, and how an event names one."""

from __future__ import annotations

#: The purpose for which it is sealed, and the prefix of its number in an event.
EVIDENCE, _PREFIX = "evidence", "evidence:"
#: How a file of each kind begins; the type that its name claims is ignored.
_BEGINNINGS = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}
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
