"""The kinds of demo: where each is kept, how it is made, served and described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .places import Places


@dataclass(frozen=True)
class ServingOptions:
    """How a demo is served; the ports are ``port`` and those that follow it."""

    port: int
    workers: int
    second_factor: bool


@dataclass(frozen=True)
class DemoKind:
    """One kind of demo.

    :param name: of its folder below ``.spar/``
    :param words: the options of ``./spar demo`` that choose it
    :param ports: how many ports it listens on
    :param parts: the folders within its own in which its servers run
    """

    name: str
    words: tuple[str, ...]
    ports: int
    parts: tuple[str, ...]
    prepare: Callable[[Places], object]
    serve: Callable[[Places, ServingOptions, Callable[[], None]], None]
    describe: Callable[[Places], list[str]]

    def get_folder(self, places: Places) -> Path:
        return places.state / self.name

    def get_lock(self, places: Places) -> Path:
        return self.get_folder(places) / "lock"

    def get_ready_file(self, places: Places) -> Path:
        """Return the file that exists while the demo is responding."""
        return self.get_folder(places) / "ready"

    def get_pid_files(self, places: Places) -> list[Path]:
        """Return the PID files of its servers, and of what runs beside them."""
        folder = self.get_folder(places)
        return [file for part in self.parts for file in (folder / part).glob("*.pid")]
