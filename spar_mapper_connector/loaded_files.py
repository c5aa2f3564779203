"""What Odoo carries out from files on the server while it loads addons.

Installing, upgrading and removing addons, Odoo carries out their data files, scripts of
migrations and hooks. In between it acts on rows, which people may have prepared: names
of records, themes, states of addons. Files are code; rows are not.

The call stack shows which of the two it is, and nothing that people type changes it.
The nearest caller that is one of the functions below counts.
"""

import functools
import sys
from types import FrameType

from odoo.modules import loading
from odoo.modules.migration import MigrationManager
from odoo.modules.module import Manifest
from odoo.orm.fields import Field
from odoo.orm.registry import Registry

from odoo.addons.base.models.ir_model import IrModelData

_ADDONS, _OURS = "odoo.addons.", "spar_"
#: Odoo itself: what it notes about the code of addons, computes by it, and deletes by
#: their names. Names that are not the addon's own are deleted first
#: (``models/customising``).
ITSELF = ""


def _key(function) -> int:
    return id(function.__code__)


_ODOOS = frozenset(
    map(
        _key,
        (
            Field.recompute,
            Registry.init_models,
            IrModelData._process_end,
            IrModelData._module_data_uninstall,
        ),
    )
)
#: What carries out files, with its variable that has the addon.
_FILES = {
    _key(loading.load_data): "package",
    _key(MigrationManager.migrate_module): "pkg",
}
#: What calls hooks, beside much else.
_LOADERS = frozenset(map(_key, (loading.load_module_graph, loading.load_modules)))


def find_loaded_addon() -> str | None:
    """Return the addon whose files Odoo carries out in this call, or None."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = id(frame.f_code)
        if code in _ODOOS:
            return ITSELF
        if code in _FILES:
            return frame.f_locals[_FILES[code]].name
        caller = frame.f_back
        if caller is not None and id(caller.f_code) in _LOADERS:
            return _find_hooks_addon(frame)
        frame = caller
    return None


def _find_hooks_addon(frame: FrameType) -> str | None:
    """Return the addon of a hook; methods of models, which read rows, are none."""
    name = frame.f_globals.get("__name__", "")
    is_function = frame.f_code.co_qualname == frame.f_code.co_name
    return name.split(".")[2] if is_function and name.startswith(_ADDONS) else None


def list_loaded_addons() -> set[str]:
    """Return the addons of the database that Odoo loads in this call."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if id(frame.f_code) in _LOADERS and "graph" in frame.f_locals:
            return {package.name for package in frame.f_locals["graph"]}
        frame = frame.f_back
    return set()


@functools.cache
def is_ours(addon: str) -> bool:
    """Return whether an addon is one of ours, or depends on one, or is Odoo itself."""
    if addon == ITSELF or addon.startswith(_OURS):
        return True
    manifest = Manifest.for_addon(addon, display_warning=False)
    return bool(manifest) and any(map(is_ours, manifest["depends"]))
