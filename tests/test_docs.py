"""The documents name what exists: files, links, menus, commands, codes, variables."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

import pytest

from setup.cli import build_parser
from setup.places import GLUE, ROOT, get_addon_folders

PAGES = sorted(
    chain(
        ROOT.glob("*.md"),
        ROOT.glob("docs/*.md"),
        ROOT.glob("spar_*/readme/*.md"),
        ROOT.glob(f"{GLUE}/*/readme/*.md"),
    )
)
FOLDERS = get_addon_folders(ROOT)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
#: Files that exist only while the demo, the tests or the benchmark run.
MADE = (".spar/",)
#: Where our codes are written: neither tests nor translations.
SOURCES = [
    *ROOT.glob("spar_mapper_connector/lib/g2p_connect/*.py"),
    *(
        path
        for path in ROOT.glob("spar_g2p_connect/**/*.py")
        if "tests" not in path.parts
    ),
]
CODE = re.compile(r'"((?:err|rjct|succ)\.[a-z_]+(?:\.[a-z_]+)*|G2P-REQ-\d+)"')
#: Built from parts in the source, so that no search finds them there.
BUILT_CODES = {"rjct.action.invalid", "rjct.action.not_supported"}
#: Menus of Odoo that the documents name.
CORE_MENUS = frozenset(
    {
        "Settings > General Settings",
        "Settings > Users & Companies > Users",
        "Settings > Users & Companies > Groups",
        "Settings > Users & Companies > Companies",
    }
)
#: Variables of our own programs, which no operator sets.
INNER_VARIABLES = re.compile(
    r"SPAR_(ANSWER|BACKEND|CALLED_AS|DEMO_ISSUER|DEMO_URL|GROUPS|IDS|KNOWN|MESSAGES|PORTAL"
    r"|QUESTIONS|ROOT|TALLY|TEST_RUN|TOKENS)"
)


def read(name: str) -> str:
    return (ROOT / name).read_text()


def get_prose(text: str) -> str:
    """Return a document without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)


def get_anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them.

    >>> sorted(get_anchors("# What you learn, and what you do not"))
    ['what-you-learn-and-what-you-do-not']
    """
    titles = re.findall(r"^#+ (.*)$", get_prose(text), re.M)
    return {
        re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        for title in titles
    }


# === FILES AND LINKS === #


def is_path(text: str) -> bool:
    """Return whether text in backticks claims to be a file of the repository.

    >>> is_path("docs/errors.md"), is_path("bench/"), is_path("mapper/sync/link")
    (True, True, False)
    """
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?(::\w+)?", text) or "/" not in text:
        return False
    is_named = text.endswith("/") or bool(re.search(r"\.[a-z]{2,5}(::|$)", text))
    return is_named or (ROOT / text.split("/")[0]).is_dir()


@pytest.mark.parametrize("name", NAMES)
def test_every_path_in_backticks_exists(name):
    page = ROOT / name
    # A fragment of an addon's README names files from the addon's folder, and so does
    # a text about all addons.
    bases = (ROOT, page.parent, *FOLDERS.values())
    missing = [
        text
        for text in re.findall(r"`([^`\n]+)`", get_prose(read(name)))
        if is_path(text)
        and not text.startswith(MADE)
        and not any((base / text.split("::")[0]).exists() for base in bases)
    ]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_every_test_in_backticks_exists(name):
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", get_prose(read(name)))
    missing = [
        f"{file}::{test}" for file, test in named if f"def {test}(" not in read(file)
    ]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_resolves(name):
    page = ROOT / name
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", get_prose(read(name))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _hash, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            broken.append(target)
        elif anchor and anchor not in get_anchors(file.read_text()):
            broken.append(target)
    assert broken == []


# === COMMANDS AND MENUS === #


def test_every_command_of_spar_exists():
    (calls,) = (
        action.choices for action in build_parser()._actions if action.dest == "call"
    )
    named = {
        (name, call)
        for name in NAMES
        for call in re.findall(r"\./spar ([a-z]+)", read(name))
    }
    assert {pair for pair in named if pair[1] not in calls} == set()


def get_records() -> Iterator[tuple[str, ElementTree.Element]]:
    """Yield the menus and records of our addons, with their external IDs."""
    for addon, folder in FOLDERS.items():
        for path in folder.glob("**/*.xml"):
            for element in ElementTree.parse(path).iter():
                if element.tag in ("menuitem", "record"):
                    yield get_full_id(addon, element.get("id")), element


def get_full_id(addon: str, name: str | None) -> str:
    """Return an external ID with its addon.

    >>> get_full_id("spar_mapper", "menu"), get_full_id("spar_mapper", "base.menu")
    ('spar_mapper.menu', 'base.menu')
    """
    return name if name and "." in name else f"{addon}.{name}"


@lru_cache
def get_menu_paths() -> frozenset[str]:
    """Return the way to each menu, such as "SPAR > Directory > Providers".

    A menu without a name has that of its action.
    """
    names, parents, actions = {}, {}, {}
    for full_id, element in get_records():
        addon = full_id.partition(".")[0]
        name = element.find("field[@name='name']")
        if element.tag == "record" and name is not None and name.text:
            actions[full_id] = name.text.strip()
        elif element.tag == "menuitem":
            action = get_full_id(addon, element.get("action"))
            names[full_id] = element.get("name") or action
            parents[full_id] = element.get("parent") and get_full_id(
                addon, element.get("parent")
            )

    def build_path(menu: str) -> str:
        name = actions.get(names[menu], names[menu])
        parent = parents[menu]
        return f"{build_path(parent)} > {name}" if parent in names else name

    return CORE_MENUS | set(map(build_path, names))


def is_menu(path: str) -> bool:
    """Return whether a way leads to a menu; its beginning may be left out.

    >>> is_menu("SPAR > Directory > Providers"), is_menu("Directory > Providers")
    (True, True)
    >>> is_menu("Audit > Providers"), is_menu("SPAR > Providers")
    (False, False)
    """
    return any(f" > {known}".endswith(f" > {path}") for known in get_menu_paths())


@pytest.mark.parametrize("name", NAMES)
def test_every_menu_exists(name):
    text = " ".join(get_prose(read(name)).replace("\\>", ">").split())
    paths = re.findall(r"\*([^*`|]+? > [^*`|]+?)\*", text)
    assert [path for path in paths if not is_menu(path)] == []


# === LISTS THAT MUST BE COMPLETE === #


def test_every_code_is_in_the_list_of_errors():
    codes = {
        code
        for path in SOURCES
        for line in path.read_text().splitlines()
        if not line.strip().startswith(">>>")
        for code in CODE.findall(line)
    }
    assert len(codes) > 40
    errors = read("docs/errors.md")
    assert {code for code in codes | BUILT_CODES if f"`{code}`" not in errors} == set()


def test_every_environment_variable_is_in_the_list_for_operators():
    used = {
        variable
        for folder in FOLDERS.values()
        for path in folder.glob("**/*.py")
        if "tests" not in path.parts
        for variable in re.findall(r"\bSPAR_[A-Z_]*[A-Z]\b", path.read_text())
    }
    listed = set(re.findall(r"^\| `(SPAR_\w+)`", read("docs/operations.md"), re.M))
    assert {name for name in used - listed if not INNER_VARIABLES.match(name)} == set()
    assert listed - used == set()


@pytest.mark.parametrize("addon", FOLDERS)
def test_version_is_in_the_history(addon):
    manifest = ast.literal_eval((FOLDERS[addon] / "__manifest__.py").read_text())
    history = (FOLDERS[addon] / "readme/HISTORY.md").read_text()
    assert f"## {manifest['version']}\n" in history


def test_readme_is_short():
    assert len(read("README.md").split()) < 900
