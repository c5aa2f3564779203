"""The violations that axe-core finds on a page: WCAG 2.2, levels A and AA."""

import json
import shutil
from functools import lru_cache
from pathlib import Path

from setup.commands import run
from setup.packages import get_npm
from setup.places import get_places

from .chromium import Page

SOURCES = Path(__file__).with_name("axe")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@lru_cache
def get_axe() -> str:
    """Return the script of the pinned axe-core; npm downloads it if it is missing."""
    places = get_places()
    folder = places.state / "axe"
    script = folder / "node_modules/axe-core/axe.min.js"
    lock = "package-lock.json"
    known = folder / lock
    if not script.exists() or known.read_bytes() != (SOURCES / lock).read_bytes():
        shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
        run(
            [*get_npm(places), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            log=places.logs / "npm.log",
            failing="Cannot get axe-core: check the network and npm's settings",
        )
    return script.read_text()


def find_barriers(page: Page) -> list[str]:
    """Return each violation on the page as it is shown: the rule, and the element."""
    page.evaluate(f"{get_axe()}; 0")
    options = json.dumps({"runOnly": {"type": "tag", "values": RULES}})
    found = page.evaluate(
        f"""axe.run(document, {options}).then(found => found.violations.map(
            rule => `${{rule.id}}: ${{rule.nodes.map(n => n.target).join(", ")}}`))"""
    )
    return [f"{page.url}: {barrier}" for barrier in found]


def find_small_targets(page: Page) -> list[str]:
    """Return controls that are too low for a thumb: under 44 pixels (WCAG 2.5.5).

    The link that skips to the content is only for the keyboard.
    """
    return page.evaluate(
        """[...document.querySelectorAll("a:not(.skip), button, input")]
            .map(each => [each.innerText, each.getBoundingClientRect().height])
            .filter(([text, height]) => height > 0 && height < 44)
            .map(([text, height]) => `${text}: ${height} px high, ${location.href}`)"""
    )
