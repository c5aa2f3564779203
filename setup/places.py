"""Where things are: the checkout, its state in ``.spar/``, the user's cache folder."""

import os
from dataclasses import dataclass
from pathlib import Path

from .errors import Failure

ROOT = Path(__file__).resolve().parent.parent
#: The folder of the addons that join SPAR to registries of others: they install
#: themselves where such a registry is.
GLUE = "glue"


@dataclass(frozen=True)
class Places:
    """The folders of one checkout."""

    root: Path
    cache: Path

    @property
    def state(self) -> Path:
        return self.root / ".spar"

    @property
    def venv(self) -> Path:
        return self.state / "venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def demo_file(self) -> Path:
        return self.state / "demo.json"

    @property
    def apart_file(self) -> Path:
        """Return the file that lists the logins of the demo in two databases."""
        return self.state / "apart.json"


def get_places(root: Path = ROOT) -> Places:
    """Return the places of this checkout, creating their folders.

    :raises Failure: when the state or the cache folder is not writable
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    places = Places(root, Path(base).expanduser().absolute() / "spar")
    for folder in (places.state, places.logs, places.cache):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(
                f"Cannot make the folder {folder} ({error.strerror}): "
                "make it writable, or set XDG_CACHE_HOME to a folder that is."
            ) from error
    return places


def get_addons(root: Path) -> list[str]:
    """Return the names of the addons at the top of the checkout, sorted."""
    return sorted(path.parent.name for path in root.glob("spar_*/__manifest__.py"))


def get_addon_folders(root: Path) -> dict[str, Path]:
    """Return the folder of every addon by its name, those for other registries, too."""
    found = [
        *root.glob("spar_*/__manifest__.py"),
        *root.glob(f"{GLUE}/*/__manifest__.py"),
    ]
    return {path.parent.name: path.parent for path in sorted(found)}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    draft.replace(path)
