"""Running other programs."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import Failure

TELLING = re.compile(
    r"^(?:[\w.]*(?:Error|Exception)|E|W|ERROR|fatal|FATAL|error): "
    r"|^\S+ \S+ \d+ (?:ERROR|CRITICAL) "
)


def get_reason(log: Path) -> str:
    """The line of a log that best says why: its last error, else its last line."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    told = [line.strip() for line in lines if line.strip()]
    errors = [line for line in told if TELLING.search(line)]
    return (errors or told or [""])[-1][:300]


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    failing: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: Path | None = None,
) -> None:
    """Run a program to its end, its words into a fresh log.

    :param failing: what to tell when it fails, with what to do then
    :raises Failure: with the log's last line and place
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


def ask(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str:
    """What a program prints; an empty text when it fails or is missing."""
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
