"""Which Python the checkout's environment is made of.

A Python that was built with profile-guided optimisation ("PGO", as in distributions) is
faster by a seventh or more than one that was not. It is preferred, the system's own
first. If there is none, the Python that runs this is used.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .commands import get_output

OLDEST_PREFERRED = (3, 11)
NEWEST = (3, 13)  # the newest one that the pinned packages support
SYSTEM = tuple(
    Path("/usr/bin") / name
    for name in ("python3", *(f"python3.{minor}" for minor in (13, 12, 11)))
)
_QUERY = """
import importlib.util, json, sys, sysconfig
get = lambda name: sysconfig.get_config_var(name) or ""
print(json.dumps({
    "path": getattr(sys, "_base_executable", None) or sys.executable,
    "version": list(sys.version_info[:3]),
    "arguments": get("CONFIG_ARGS"),
    "flags": get("PY_CORE_CFLAGS"),
    "profiles": [get("PGO_PROF_GEN_FLAG"), get("PGO_PROF_USE_FLAG")],
    "complete": all(map(importlib.util.find_spec, ("venv", "ensurepip"))),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that is on the machine."""

    path: Path
    version: tuple[int, ...]
    is_optimised: bool
    #: whether an environment can be made of it: Debian packages that part separately
    is_complete: bool

    @property
    def is_preferred(self) -> bool:
        return self.is_optimised and OLDEST_PREFERRED <= self.version[:2] <= NEWEST

    @property
    def description(self) -> str:
        """Return the version and the path, for people."""
        how = "optimised" if self.is_optimised else "not optimised"
        return f"Python {'.'.join(map(str, self.version))}, {how} ({self.path})"

    def is_same(self, other: "Interpreter") -> bool:
        """Return whether both are the same program under any name."""
        same = self.path.resolve() == other.path.resolve()
        return same and self.version == other.version


def was_optimised(arguments: str, flags: str, profiles: Iterable[str]) -> bool:
    """Return whether a Python was built with a profile, judging by its build settings.

    Debian and Ubuntu build with a profile by means other than the option, and then
    remove the flag for its use from the recorded settings; all other builds keep it,
    used or not.

    >>> was_optimised("'--enable-optimizations'", "", ["-fa", "-fb"])
    True
    >>> was_optimised("'--prefix=/usr'", "-O2", ["-fprofile-generate", ""])
    True
    >>> was_optimised("'--prefix=/opt'", "-O3", ["-fprofile-generate", "-fprofile-use"])
    False
    """
    generating, using = profiles
    return (
        "--enable-optimizations" in arguments
        or "-fprofile-use" in flags
        or "-fprofile-instr-use" in flags
        or bool(generating and not using)
    )


def get_interpreter(path: Path) -> Interpreter | None:
    """Return the Python at a path (for an environment, its base), or None."""
    try:
        found = json.loads(get_output([path, "-I", "-c", _QUERY]))
    except ValueError:
        return None
    optimised = was_optimised(found["arguments"], found["flags"], found["profiles"])
    version = tuple(found["version"])
    return Interpreter(Path(found["path"]), version, optimised, found["complete"])


def choose(
    found: Iterable[Interpreter], running: Interpreter, present: Interpreter | None
) -> Interpreter:
    """Return the Python to use.

    :param found: the system's own
    :param running: the one that runs this
    :param present: the one that the environment is made of now, if it works: kept
        unless there is a better one, so that calls by different Pythons do not remake
        it in turn
    """
    known = [*found, running] if present is None else [*found, present, running]
    better = [each for each in known if each.is_preferred and each.is_complete]
    return (better or ([present] if present else [running]))[0]


def get_system_interpreters() -> list[Interpreter]:
    """Return the system's own Pythons."""
    found = [get_interpreter(path) for path in SYSTEM if path.exists()]
    return [each for each in found if each]


def get_running() -> Interpreter:
    """Return the Python that runs this."""
    running = get_interpreter(Path(sys.executable))
    return running or Interpreter(
        Path(sys.executable), sys.version_info[:3], False, True
    )
