"""Running other programs."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import Failure

ERROR_LINE = re.compile(
    r"^(?:[\w.]*(?:Error|Exception)|E|W|ERROR|fatal|FATAL|error): "
    r"|^\S+ \S+ \d+ (?:ERROR|CRITICAL) "
)


def get_reason(log: Path) -> str:
    """Return the line of a log that best explains a failure: the last error or line."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    stripped = [line.strip() for line in lines if line.strip()]
    errors = [line for line in stripped if ERROR_LINE.search(line)]
    return (errors or stripped or [""])[-1][:300]


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    failing: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: Path | None = None,
) -> None:
    """Run a program to completion, its output going to a fresh log.

    :param failing: the message when it fails, including what to do next
    :raises Failure: with the log's last line and path
    """
    with open(log, "wb") as out, open(stdin or "/dev/null", "rb") as source:
        try:
            done = subprocess.run(
                [str(part) for part in command],
                stdin=source,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
            )
        except OSError as error:
            raise Failure(f"{failing} ({error.strerror}: {command[0]})") from error
    if done.returncode:
        raise Failure(f"{failing} ({get_reason(log)}; log: {log})")


def get_output(
    command: Sequence[str | Path], env: Mapping[str, str] | None = None
) -> str:
    """Return what a program prints; an empty text if it fails or is missing."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=env,
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
