"""Tests in which an addon is being loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from odoo.modules import loading

from .. import expressions


@contextmanager
def loaded_rows(registry) -> Iterator[None]:
    """Run the block as what Odoo does of rows while it loads addons."""
    with patch.object(registry, "ready", False):
        yield


@contextmanager
def loading_addon(registry, addon: str) -> Iterator[None]:
    """Run the block as if a file of an addon did it while Odoo loads it."""
    with (
        loaded_rows(registry),
        patch.object(expressions, "find_loaded_addon", lambda: addon),
    ):
        yield


def load_by_file(env, addon: str, call) -> None:
    """Call a function in the place of a data file of an addon that is being loaded."""
    package = SimpleNamespace(
        name=addon, manifest={"data": ["x.xml"], "init_xml": (), "demo": ()}
    )
    with (
        loaded_rows(env.registry),
        patch.object(loading, "convert_file", lambda *_args, **_kwargs: call()),
    ):
        loading.load_data(env, {}, "update", kind="data", package=package)
