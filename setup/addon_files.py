#!/usr/bin/env python3
"""Check the files that each addon must have; ``--write`` creates the generated ones.

``README.md`` is built from the fragments in ``readme/``, under one title;
``pyproject.toml`` declares whool as the addon's build backend.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = {
    "DESCRIPTION": "",
    "CONTEXT": "Context",
    "INSTALL": "Installation",
    "CONFIGURE": "Configuration",
    "USAGE": "Usage",
    "DEVELOP": "Development",
    "ROADMAP": "Roadmap",
    "CONTRIBUTORS": "Contributors",
}
PYPROJECT = '[build-system]\nrequires = ["whool"]\nbuild-backend = "whool.buildapi"\n'


def build_readme(name: str, fragments: dict[str, str]) -> str:
    """Return an addon's README, built from its name and the ``readme/`` texts by stem.

    >>> print(build_readme("SPAR X", {"DESCRIPTION": "It does.", "USAGE": "Use it."}))
    # SPAR X
    <BLANKLINE>
    It does.
    <BLANKLINE>
    ## Usage
    <BLANKLINE>
    Use it.
    <BLANKLINE>
    """
    parts = [f"# {name}"]
    for stem, title in SECTIONS.items():
        if stem in fragments:
            parts += [f"## {title}"] if title else []
            parts.append(fragments[stem].strip())
    return "\n\n".join(parts) + "\n"


def get_wanted(addon: Path) -> dict[Path, str]:
    """Return the generated files of an addon, with the content that each must have."""
    manifest = ast.literal_eval((addon / "__manifest__.py").read_text())
    fragments = {path.stem: path.read_text() for path in addon.glob("readme/*.md")}
    return {
        addon / "README.md": build_readme(manifest["name"], fragments),
        addon / "pyproject.toml": PYPROJECT,
    }


def find_wrong(addon: Path) -> dict[Path, str]:
    """Return the files of an addon that are missing or have the wrong content."""
    return {
        path: text
        for path, text in get_wanted(addon).items()
        if not path.exists() or path.read_text() != text
    }


def main(words: list[str]) -> int:
    """Check every addon, or write what is wrong; return 1 if anything was wrong."""
    wrong: dict[Path, str] = {}
    for manifest in sorted(ROOT.glob("spar_*/__manifest__.py")):
        wrong |= find_wrong(manifest.parent)
        if not (manifest.parent / "readme/DESCRIPTION.md").exists():
            wrong[manifest.parent / "readme/DESCRIPTION.md"] = ""
    for path, text in wrong.items():
        if text and "--write" in words:
            path.write_text(text)
        sys.stdout.write(f"{path.relative_to(ROOT)} is not what it should be\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
