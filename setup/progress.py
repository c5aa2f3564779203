"""What a long step shows while it runs."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

HEARTBEAT_SECONDS = 15


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def _beat(finished: threading.Event, started: float) -> None:
    while not finished.wait(HEARTBEAT_SECONDS):
        say(f"    still working, {time.monotonic() - started:.0f} s")


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step, show regularly that it is running, and report its duration."""
    say(f"- {text}")
    started, finished = time.monotonic(), threading.Event()
    heart = threading.Thread(target=_beat, args=(finished, started), daemon=True)
    heart.start()
    try:
        yield
    finally:
        finished.set()
        heart.join()
    if (seconds := time.monotonic() - started) > 2:
        say(f"    done in {seconds:.0f} s")


def warn(text: str) -> None:
    """Print one line on the error stream."""
    print(text, file=sys.stderr, flush=True)
