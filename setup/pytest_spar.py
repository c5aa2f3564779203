"""A plugin for pytest: doctests of ``lib/``; browser tests never silently skipped."""

import pytest
from _pytest.doctest import DoctestModule

from setup.places import ROOT

MISSING_BROWSER = (
    "This test needs Chromium: install it (on Debian `apt-get install chromium`) "
    "and run ./spar test again."
)


def pytest_collect_file(file_path, parent):
    """Collect the examples in the docstrings of pure code."""
    folders = file_path.relative_to(ROOT).parts[:-1]
    if file_path.suffix == ".py" and "lib" in folders:
        return DoctestModule.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail tests that Odoo would skip because there is no browser."""
    report = yield
    if report.skipped and "chrome" in str(report.longrepr).lower():
        report.outcome = "failed"
        report.longrepr = MISSING_BROWSER
    return report
