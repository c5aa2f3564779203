"""The file of checkpoints: lines are only appended, and hosts take turns.

A line counts once it ends with a line feed. Anything after the last line feed was left
by a writer that was killed; the next writer removes it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_BLOCK = 65_536


class FileMoved(OSError):
    """The file does not end as expected: another process has added a line."""


class CopyDiffers(ValueError):
    """A copy of the file contains something that the file does not."""


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of the file; none if there is no file."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if line.endswith(b"\n"):
                yield line[:-1].decode(errors="replace")


def read_last(path: Path) -> str | None:
    """Return the last line of the file, or None if there is none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        return _read_last(file)[0]


def _read_last(file: BinaryIO) -> tuple[str | None, int]:
    """Return the last complete line, and the position in the file at which it ends."""
    start = file.seek(0, os.SEEK_END)
    tail = b""
    while start > 0:
        size = min(_BLOCK, start)
        start -= size
        file.seek(start)
        tail = file.read(size) + tail
        whole = tail[: tail.rfind(b"\n") + 1]
        begin = whole.rfind(b"\n", 0, -1) + 1
        if whole and (begin or not start):
            return whole[begin:-1].decode(errors="replace"), start + len(whole)
    return None, 0


def append(path: Path, line: str, after: str | None) -> None:
    """Append ``line`` after the line ``after``; return once it is safely on disk.

    ``after`` is None if the file has no line yet. Raises FileMoved if the file does not
    end with it: another host was faster.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        last, end = _read_last(file)
        if last != after:
            raise FileMoved("the checkpoint file has another last line")
        # Removes what a killed writer left behind the last line feed.
        file.truncate(end)
        file.seek(end)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    # A new file is durable only once its folder is, too.
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def send(path: Path, target: Path) -> None:
    """Bring ``target``, an earlier copy of the file, up to date.

    Raises CopyDiffers if the copy is not the beginning of the file: then the file was
    shortened or rewritten, and the copy is the proof.
    """
    if target.exists() and not _is_beginning(target, path):
        raise CopyDiffers("the copy holds lines that the checkpoint file does not")
    half = target.with_name(f".{target.name}.part")
    with path.open("rb") as file, half.open("wb") as copy:
        half.chmod(0o600)
        left = _read_last(file)[1]
        file.seek(0)
        while block := file.read(min(_BLOCK, left)):
            copy.write(block)
            left -= len(block)
        copy.flush()
        os.fsync(copy.fileno())
    half.replace(target)


def _is_beginning(copy: Path, path: Path) -> bool:
    with copy.open("rb") as old, path.open("rb") as new:
        while block := old.read(_BLOCK):
            if new.read(len(block)) != block:
                return False
    return True
