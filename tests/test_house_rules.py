"""The rules of this repository, checked in its files.

Most rules are strict. Guides, such as the length of a function, only list what goes
beyond them, as warnings at the end of the run.
"""

import ast
import re
import subprocess
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from setup.places import GLUE, ROOT, get_addon_folders

#: The other addons that each addon may import: down the chain.
CHAIN: dict[str, set[str]] = {
    "spar_fa_directory": set(),
    "spar_mapper_connector": {"spar_fa_directory"},
    "spar_mapper": {"spar_fa_directory", "spar_mapper_connector"},
    "spar_g2p_connect": {"spar_fa_directory", "spar_mapper_connector", "spar_mapper"},
    "spar_confirmation": {
        "spar_fa_directory",
        "spar_mapper_connector",
        "spar_mapper",
    },
    "spar_self_service": {
        "spar_fa_directory",
        "spar_mapper_connector",
        "spar_staff_login",
    },
    "spar_staff_login": {"spar_fa_directory", "spar_mapper_connector"},
    "spar_registry": {"spar_fa_directory", "spar_mapper_connector"},
}
_REGISTRY = {*CHAIN["spar_registry"], "spar_registry"}
CHAIN["spar_registry_source"] = _REGISTRY
for _other in ("openspp", "openg2p"):
    CHAIN[f"spar_registry_{_other}"] = {*_REGISTRY, "spar_registry_source"}
    CHAIN[f"spar_programme_{_other}"] = {
        *CHAIN[f"spar_registry_{_other}"],
        f"spar_registry_{_other}",
    }
FOLDERS = get_addon_folders(ROOT)
ADDONS = [*FOLDERS]
#: Where values are masked in the form in which they travel.
MASKS_IN_MESSAGES = {
    "spar_g2p_connect/models/server/spar_g2p_connect_own_address.py",
    "spar_mapper/models/mapping/spar_masked_words.py",
    "spar_mapper_connector/models/pages/spar_address_words.py",
}
#: Guides: what goes beyond them is listed.
MAX_LINES = 40
MAX_COMPLEXITY = 10
#: Private words that have a standard term (docs/glossary.md), written in parts, so that
#: this file does not contain them.
PRIVATE_WORDS = {"to" + "ld", "la" + "ne", "la" + "nes", "do" + "or", "me" + "ant"}
PRIVATE_PHRASE = "in va" + "in"
FORBIDDEN = {
    "unfinished work": r"\b(TO" + "DO|FIX" + r"ME|XX" + r"X)\b",
    "a registry's or mirror's host": r"py" + r"pi\.org|npm" + r"js\.|deb" + r"\.debian",
    "constraints that Odoo ignores": "_sql_" + "constraints",
    "a list view by its old name": "<" + "tree",
}


class HouseRuleWarning(UserWarning):
    """A list of what goes beyond a guide."""


# === FILES === #


def get_tracked() -> list[Path]:
    """Return the text files of the project, including untracked new ones."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in names.split("\0") if name]
    return [
        path
        for path in paths
        if path.is_file() and not path.is_symlink() and path.suffix != ".png"
    ]


TRACKED = get_tracked()
PYTHON = [path for path in TRACKED if path.suffix == ".py" or path.name == "spar"]
PURE = [path for path in PYTHON if "lib" in path.parts and "tests" not in path.parts]
SOURCES = [path for path in PYTHON if "tests" not in path.parts]
TREES = {path: ast.parse(path.read_text(), str(path)) for path in PYTHON}


def get_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def get_imports(path: Path) -> set[str]:
    """Return the modules that a file imports, relative ones with their dots."""
    found = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def get_functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(TREES[path]) if isinstance(node, ast.FunctionDef)]


# === REPORTS === #


def warn_of(rule: str, lines: list[str]) -> None:
    """List what a rule has found, at the end of the run."""
    if lines:
        text = "\n".join([f"{rule}: {len(lines)}", *sorted(lines)])
        warnings.warn(text, HouseRuleWarning, stacklevel=2)


def check(rule: str, found: Iterable[tuple[Path, str]]) -> None:
    """Fail if a rule has found anything."""
    failing = [f"{get_name(path)}: {text}" for path, text in found]
    assert failing == [], rule


# === CHECKS OF OTHERS === #


def test_pre_commit_passes():
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _has_code(path: Path) -> bool:
    return path.is_file() or any(path.glob("**/*.py"))


@pytest.mark.parametrize("addon", ADDONS)
def test_mypy_checks_all_pure_code(addon):
    """It reads what ``setup/types`` links to, and nothing else (mypy.ini)."""
    parts = ["lib", "store", "exceptions.py", "const.py"]
    folder = FOLDERS[addon]
    there = {folder / part for part in parts if _has_code(folder / part)}
    linked = (ROOT / "setup/types/odoo/addons" / addon).glob("*")
    assert there <= {path.resolve() for path in linked}


def test_models_are_in_one_piece():
    """Pylint finds models that are split within an addon, where it is not disabled."""
    disabled = re.compile("pylint: *disable.*consider-merging-" + "classes-inherited")
    check(
        "models are in one piece",
        (
            (path, f"{number}: {line.strip()}")
            for path in PYTHON
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if disabled.search(line)
        ),
    )


# === IMPORTS === #


@pytest.mark.parametrize("addon", ADDONS)
def test_addon_imports_only_from_addons_above_it(addon):
    allowed = CHAIN[addon] | {addon}
    used = {
        found.group(1): get_name(path)
        for path in PYTHON
        if path.is_relative_to(FOLDERS[addon])
        for module in get_imports(path)
        if (found := re.match(r"odoo\.addons\.(spar_\w+)", module))
    }
    assert {name: path for name, path in used.items() if name not in allowed} == {}


@pytest.mark.parametrize("addon", ADDONS)
def test_addon_depends_only_on_addons_above_it(addon):
    manifest = ast.literal_eval((FOLDERS[addon] / "__manifest__.py").read_text())
    ours = {name for name in manifest["depends"] if name.startswith("spar_")}
    assert ours <= CHAIN[addon]


def get_module(path: Path) -> str:
    """Return the name of a module; a package's is that of its ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[1:] if parts[0] == GLUE else parts)


def get_imported_files(path: Path) -> Iterator[str]:
    """Yield our modules that importing a file imports; not those in its functions."""
    package = get_module(path).split(".")[:-1]
    for node in TREES[path].body:
        if not isinstance(node, ast.ImportFrom):
            continue
        base = (node.module or "").removeprefix("odoo.addons.").split(".")
        if node.level:
            base = package[: len(package) - node.level + 1] + base
        yield ".".join(filter(None, base))
        for alias in node.names:
            yield ".".join(filter(None, [*base, alias.name]))


def find_cycle(edges: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle; an empty list if none do.

    >>> find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    ['a', 'b', 'c']
    >>> find_cycle({"a": {"b"}, "b": set()})
    []
    """
    left = {name: set(targets) for name, targets in edges.items()}
    while free := [name for name, targets in left.items() if not targets & set(left)]:
        for name in free:
            del left[name]
    path: list[str] = []
    name = min(left, default="")
    while name and name not in path:
        path.append(name)
        name = min(left[name] & set(left))
    return path[path.index(name) :] if path else []


def test_imports_have_no_cycle():
    modules = {get_module(path): path for path in PYTHON if path.name != "__init__.py"}
    edges = {
        name: {each for each in get_imported_files(path) if each in modules}
        for name, path in modules.items()
    }
    assert sum(map(len, edges.values())) > 500
    assert find_cycle(edges) == []


def test_pure_code_imports_no_odoo():
    pure = r"odoo\.addons\.spar_\w+\.(lib|exceptions)\b"
    guilty = {
        get_name(path): module
        for path in PURE
        for module in get_imports(path)
        if re.match(r"odoo\b", module) and not re.match(pure, module)
    }
    assert guilty == {}


# === FUNCTIONS === #


def get_unnamed_sudo(node: ast.AST, is_named: bool = False) -> Iterator[int]:
    """Yield the lines of ``.sudo`` outside of a named method, such as in a lambda."""
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        is_named = isinstance(node, ast.FunctionDef)
    if isinstance(node, ast.Attribute) and node.attr == "sudo" and not is_named:
        yield node.lineno
    for child in ast.iter_child_nodes(node):
        yield from get_unnamed_sudo(child, is_named)


def test_sudo_is_called_in_named_methods_only():
    found = [
        f"{get_name(path)}:{number}"
        for path in SOURCES
        for number in get_unnamed_sudo(TREES[path])
    ]
    assert found == []


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


def count_lines(function: ast.FunctionDef, lines: list[str]) -> int:
    """Return a body's lines of code: no docstring, blank line or comment."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    code = lines[body[0].lineno - 1 : body[-1].end_lineno]
    return sum(1 for line in code if line.strip() and line.strip()[0] != "#")


BRANCHES = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.While,
    ast.ExceptHandler,
    ast.comprehension,
    ast.match_case,
)


def count_branches(function: ast.FunctionDef) -> int:
    """Return the number of paths through a function, as McCabe counts them."""
    nodes = list(ast.walk(function))
    operators = [node for node in nodes if isinstance(node, ast.BoolOp)]
    return (
        1
        + sum(isinstance(node, BRANCHES) for node in nodes)
        + sum(len(node.values) - 1 for node in operators)
    )


def test_long_and_complex_functions_are_listed():
    """These are guides: a function may go beyond them where it reads better so."""
    long, complex_ = [], []
    for path in SOURCES:
        lines = path.read_text().splitlines()
        for function in get_functions(path):
            name = f"{get_name(path)}:{function.lineno} {function.name}"
            if (size := count_lines(function, lines)) > MAX_LINES:
                long.append(f"{name}: {size}")
            if (paths := count_branches(function)) > MAX_COMPLEXITY:
                complex_.append(f"{name}: {paths}")
    warn_of(f"functions over {MAX_LINES} lines", long)
    warn_of(f"functions with over {MAX_COMPLEXITY} paths", complex_)


# === NAMES AND WORDS === #


def is_unpacked_literal(node: ast.AST) -> bool:
    """Return whether a list is written as several: ``*("a", "b")``."""
    literals = (ast.Tuple, ast.List, ast.Set)
    return isinstance(node, ast.Starred) and isinstance(node.value, literals)


def is_split_text(node: ast.AST) -> bool:
    """Return whether a list is written as a text: ``"a b".split()``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "split"
        and isinstance(node.func.value, ast.Constant)
    )


def test_lists_are_written_as_lists():
    check(
        "lists are written as lists",
        (
            (path, str(node.lineno))
            for path, tree in TREES.items()
            for node in ast.walk(tree)
            if is_unpacked_literal(node) or is_split_text(node)
        ),
    )


def test_people_read_masked_values_in_words():
    """The form of messages, masked, is for programs, and where words are made of it."""
    used = {
        get_name(path)
        for path in SOURCES
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", ""))
        in ("_mask_addresses", "mask_id")
    }
    assert used == MASKS_IN_MESSAGES


def get_window_forms(path: Path) -> Iterator[ElementTree.Element]:
    """Yield the forms that open in a window: they have a footer."""
    for record in ElementTree.parse(path).iter("record"):
        for form in record.iter("form"):
            if form.find("footer") is not None:
                yield form


def starts_elsewhere(form: ElementTree.Element) -> bool:
    """Return whether Odoo or the form itself chooses another field than the first.

    Odoo would choose the first one that takes text, past radio buttons and ticks.
    """
    has_default = any(field.get("default_focus") for field in form.iter("field"))
    return has_default or form.get("disable_autofocus") != "1"


def test_windows_open_at_their_first_field():
    forms = [
        (path, form)
        for path in TRACKED
        if path.suffix == ".xml" and "<footer" in path.read_text()
        for form in get_window_forms(path)
    ]
    assert len(forms) > 25
    check(
        "windows open at their first field",
        ((path, "a form") for path, form in forms if starts_elsewhere(form)),
    )


def get_model_names(node: ast.ClassDef) -> dict[str, str | list[str]]:
    """Return ``_name`` and ``_inherit`` of a class, those that it has."""
    return {
        each.targets[0].id: ast.literal_eval(each.value)
        for each in node.body
        if isinstance(each, ast.Assign)
        and isinstance(each.targets[0], ast.Name)
        and each.targets[0].id in ("_name", "_inherit")
    }


def get_model(node: ast.ClassDef) -> str:
    """Return the Odoo model that a class defines or extends; "" for other classes."""
    values = get_model_names(node)
    model = values.get("_name") or values.get("_inherit") or ""
    return model if isinstance(model, str) else model[0]


def test_class_names_are_unique():
    """Outside of tests, a name stands for one class, or for one model of Odoo."""
    places = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.ClassDef):
                places[node.name].append((path, get_model(node)))
    check(
        "one name, one class",
        (
            (path, name)
            for name, found in places.items()
            if len({model or path for path, model in found}) > 1
            for path, _model in found
        ),
    )


def test_models_are_defined_once():
    """A second definition would take the place of the first, in another addon."""
    places = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.ClassDef):
                names = get_model_names(node)
                if names.get("_name", "") not in ("", *names.get("_inherit", [])):
                    places[names["_name"]].append(path)
    assert len(places) > 100
    check(
        "one model, one definition",
        (
            (path, name)
            for name, found in places.items()
            if len(found) > 1
            for path in found
        ),
    )


def split_words(name: str) -> list[str]:
    """Return the words of a name.

    >>> split_words("_getTopRow"), split_words("spar_queue.view-list")
    (['get', 'top', 'row'], ['spar', 'queue', 'view', 'list'])
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.split(r"[\W_]+", spaced.lower().strip("_"))


def has_private_word(text: str) -> bool:
    words = split_words(text)
    return bool(PRIVATE_WORDS & set(words)) or PRIVATE_PHRASE in " ".join(words)


def get_python_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the names that a file introduces, with their lines."""
    for node in ast.walk(TREES[path]):
        match node:
            case ast.FunctionDef():
                yield node.lineno, node.name
            case ast.ClassDef():
                yield node.lineno, node.name
                yield node.lineno, get_model(node)
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.arg():
                yield node.lineno, node.arg
            case ast.alias(asname=str()):
                yield node.lineno, node.asname


def get_xml_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the identifiers in an XML file, with their lines."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for name in re.findall(r'\b(?:id|name|t-call|ref)="([\w.]+)"', line):
            yield number, name


def get_csv_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the identifiers in the first column of a CSV file, with their lines."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        yield number, line.partition(",")[0]


def get_names() -> Iterator[tuple[Path, int, str]]:
    """Yield every name that we have given: of files, in Python and in XML."""
    for path in TRACKED:
        yield path, 0, path.stem
    for path in PYTHON:
        yield from ((path, *found) for found in get_python_names(path))
    for path in TRACKED:
        if path.suffix == ".xml":
            yield from ((path, *found) for found in get_xml_names(path))
        elif path.parts[-2:] == ("security", "ir.model.access.csv"):
            yield from ((path, *found) for found in get_csv_names(path))


def test_names_have_no_private_words():
    check(
        "plain words in names",
        (
            (path, f"{number} {name}")
            for path, number, name in get_names()
            if has_private_word(name) and "migrations" not in path.parts
        ),
    )


def get_translatable(path: Path) -> Iterator[str]:
    """Yield the texts in calls of ``_()``, ``env._()`` and their lazy forms."""
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("_", "_lt", "LazyTranslate") and isinstance(
                node.args[0], ast.Constant
            ):
                yield str(node.args[0].value)


def get_templates(path: Path) -> Iterator[str]:
    """Yield the texts of a template of translations."""
    for entry in path.read_text().split("\n\n"):
        if found := re.search(r'^msgid (".*?)^msgstr', entry, re.M | re.S):
            yield "".join(map(ast.literal_eval, found[1].strip().splitlines()))


def get_texts() -> Iterator[tuple[Path, str]]:
    """Yield every text that can be translated."""
    for path in TRACKED:
        if path.suffix == ".pot":
            yield from ((path, text) for text in get_templates(path))
    for path in SOURCES:
        yield from ((path, text) for text in get_translatable(path))


def test_texts_have_no_private_words():
    texts = list(get_texts())
    assert len(texts) > 1000
    check(
        "plain words in texts",
        ((path, text[:80]) for path, text in texts if has_private_word(text)),
    )


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tree_has_nothing_forbidden(what):
    pattern = re.compile(FORBIDDEN[what])
    guilty = [
        f"{get_name(path)}: {line.strip()[:80]}"
        for path in TRACKED
        for line in path.read_text(errors="replace").splitlines()
        if pattern.search(line)
    ]
    assert guilty == []
