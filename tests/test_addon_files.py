"""The generated files of the addons."""

import doctest

import pytest

from setup import addon_files, restructured
from setup.addon_files import build_page, find_outdated
from setup.restructured import convert

MANIFEST = {
    "name": "SPAR X",
    "author": "SPAR contributors",
    "development_status": "Beta",
    "license": "LGPL-3",
}
TABLE = """\
| Step | Where |
| --- | --- |
| one | `a.py`, *b* |
"""
CONVERTED_TABLE = """\
.. list-table::
   :header-rows: 1

   * - Step
     - Where
   * - one
     - ``a.py``, *b*"""


@pytest.fixture
def addon(tmp_path):
    """Return an addon whose generated files are up to date."""
    (tmp_path / "readme").mkdir()
    (tmp_path / "readme/DESCRIPTION.md").write_text("It does.\n")
    (tmp_path / "readme/HISTORY.md").write_text("## 19.0.2.0.0\n\n- It does more.\n")
    (tmp_path / "static/description").mkdir(parents=True)
    (tmp_path / "static/description/icon.png").touch()
    (tmp_path / "static/description/list.png").touch()
    (tmp_path / "__manifest__.py").write_text(repr(MANIFEST))
    for path, text in find_outdated(tmp_path).items():
        path.write_text(text)
    return tmp_path


def test_written_files_are_up_to_date(addon):
    assert find_outdated(addon) == {}


def test_changed_fragment_outdates_both_pages(addon):
    (addon / "readme/DESCRIPTION.md").write_text("It does not.\n")
    names = {path.name for path in find_outdated(addon)}
    assert names == {"README.rst", "index.html"}


def test_readme_has_sections_and_pictures(addon):
    readme = (addon / "README.rst").read_text()
    assert "Changelog\n=========\n\n19.0.2.0.0\n----------\n\n- It does more." in readme
    assert ".. image:: static/description/list.png" in readme
    assert "icon.png" not in readme


def test_page_shows_pictures_beside_it(addon):
    page = (addon / "static/description/index.html").read_text()
    assert 'src="list.png"' in page
    assert "It does more." in page
    assert "generator" not in page


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("a **b `c` d** e", "a **b** ``c`` **d** e"),
        ("`x`s of y_", "``x``\\ s of y\\_"),
        ("[the *text*](https://a.example/b_)", "`the text <https://a.example/b_>`__"),
        ("2 * 3, `|`", "2 \\* 3, ``|``"),
        ("3. a\n4. b\n\n   more", "3. a\n\n4. b\n\n   more"),
        ("```sh\nls\n```", ".. code-block:: sh\n\n   ls"),
        ("![A list](x.png)", ".. image:: x.png\n   :alt: A list"),
        (TABLE, CONVERTED_TABLE),
    ],
)
def test_markdown_is_converted(markdown, expected):
    assert convert(markdown) == expected
    build_page(expected)  # fails where docutils would warn


@pytest.mark.parametrize("module", [addon_files, restructured])
def test_doctests_pass(module):
    assert not doctest.testmod(module).failed
