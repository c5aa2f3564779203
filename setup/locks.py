"""Lock files: one process at a time, for as long as the holder is alive."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from .errors import Failure


@contextlib.contextmanager
def hold(path: Path, taken: str) -> Iterator[None]:
    """Hold a lock while the block runs; the file records the holder.

    :param taken: the message when another process holds it
    :raises Failure: with that message
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as file:
        try:
            # The kernel releases this lock when the process ends, even if it is killed.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failure(taken) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def get_holder(path: Path) -> int | None:
    """Return the process that holds a lock now, or None."""
    try:
        file = open(path)
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return int(file.read() or 0) or None
    return None
