"""Rules for the whole tree, checked in its files."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from setup.places import ROOT, get_addons

#: The other addons that each addon may import: down the chain.
CHAIN = {
    "spar_fa_directory": set(),
    "spar_mapper_connector": {"spar_fa_directory"},
    "spar_mapper": {"spar_fa_directory", "spar_mapper_connector"},
    "spar_g2p_connect": {"spar_fa_directory", "spar_mapper_connector", "spar_mapper"},
    "spar_self_service": {
        *("spar_fa_directory", "spar_mapper_connector", "spar_staff_login"),
    },
    "spar_staff_login": {"spar_fa_directory", "spar_mapper_connector"},
    "spar_registry": {"spar_fa_directory", "spar_mapper_connector"},
}
ADDONS = get_addons(ROOT)
#: A guideline: longer bodies are reviewed.
BODY_LINES = 30
#: Written in parts, so that this file does not contain what it forbids.
FORBIDDEN = {
    "unfinished work": r"\b(TO" + "DO|FIX" + r"ME|XX" + r"X)\b",
    "a registry's or mirror's host": r"py" + r"pi\.org|npm" + r"js\.|deb" + r"\.debian",
    "constraints that Odoo ignores": "_sql_" + "constraints",
    "a list view by its old name": "<" + "tree",
}


def get_tracked() -> list[Path]:
    """Return the text files of the project, including untracked new ones."""
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in told.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix != ".png"]


TRACKED = get_tracked()
PYTHON = [path for path in TRACKED if path.suffix == ".py" or path.name == "spar"]
PURE = [path for path in PYTHON if "lib" in path.parts and "tests" not in path.parts]
SOURCES = [path for path in PYTHON if "tests" not in path.parts]


def get_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def get_imports(path: Path) -> set[str]:
    """Return the modules that a file imports, relative ones with their dots."""
    found = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def get_functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef)]


def count_body(function: ast.FunctionDef, lines: list[str]) -> int:
    """Return a body's lines of code: no docstring, blank line or comment."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    told = lines[body[0].lineno - 1 : body[-1].end_lineno]
    return sum(1 for line in told if line.strip() and line.strip()[0] != "#")


def test_pre_commit_passes():
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("addon", ADDONS)
def test_addon_imports_only_from_addons_above_it(addon):
    allowed = CHAIN[addon] | {addon}
    used = {
        found.group(1): get_name(path)
        for path in PYTHON
        if path.is_relative_to(ROOT / addon)
        for module in get_imports(path)
        if (found := re.match(r"odoo\.addons\.(spar_\w+)", module))
    }
    assert {name: path for name, path in used.items() if name not in allowed} == {}


@pytest.mark.parametrize("addon", ADDONS)
def test_addon_depends_only_on_addons_above_it(addon):
    manifest = ast.literal_eval((ROOT / addon / "__manifest__.py").read_text())
    ours = {name for name in manifest["depends"] if name.startswith("spar_")}
    assert ours <= CHAIN[addon]


def test_pure_code_imports_no_odoo():
    pure = r"odoo\.addons\.spar_\w+\.(lib|exceptions)\b"
    guilty = {
        get_name(path): module
        for path in PURE
        for module in get_imports(path)
        if re.match(r"odoo\b", module) and not re.match(pure, module)
    }
    assert guilty == {}


def test_pure_code_has_types_on_every_signature():
    untyped = [
        f"{get_name(path)}:{function.lineno} {function.name}"
        for path in PURE
        for function in get_functions(path)
        if function.returns is None
        or any(
            argument.annotation is None
            for argument in (*function.args.args, *function.args.kwonlyargs)
            if argument.arg not in ("self", "cls")
        )
    ]
    assert [name for name in untyped if not name.endswith("__init__")] == []


@pytest.mark.parametrize("addon", ADDONS)
def test_mypy_finds_all_pure_code(addon):
    """It reads what ``setup/types`` links to, and nothing else (mypy.ini)."""
    parts = ("lib", "store", "exceptions.py", "const.py")
    there = {ROOT / addon / part for part in parts if (ROOT / addon / part).exists()}
    linked = (ROOT / "setup/types/odoo/addons" / addon).glob("*")
    assert there <= {path.resolve() for path in linked}


def test_functions_are_short():
    long = {
        f"{get_name(path)}:{function.lineno} {function.name}": size
        for path in SOURCES
        for function in get_functions(path)
        if (size := count_body(function, path.read_text().splitlines())) > BODY_LINES
    }
    assert long == {}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tree_holds_nothing_forbidden(what):
    pattern = re.compile(FORBIDDEN[what])
    guilty = [
        f"{get_name(path)}: {line.strip()[:80]}"
        for path in TRACKED
        for line in path.read_text(errors="replace").splitlines()
        if pattern.search(line)
    ]
    assert guilty == []
