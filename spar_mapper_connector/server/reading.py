"""A guard on the registry's records, against code that reads them past access rights.

Superuser code of an addon of Odoo shows its users what it reads: rows to recycle,
goals, the recipients of a mailing, the name of what was rated. Expressions do the same.
What counts is who asks: the first caller outside the ORM. An addon that depends on one
of ours, or on which one of ours depends, may read as superuser: it was written beside
them. It reads what is sealed, or concerns people, only for somebody who may read that
themselves. No expression reads anything, nor does a helper of Odoo (``web_read``,
``t-field``) that it calls.

The same holds for fields on models of others (``closed_fields.py``), which no row reads
either: no action, automation or custom field.
"""

import functools
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from odoo.exceptions import AccessError
from odoo.models import BaseModel
from odoo.modules.module import Manifest
from odoo.orm.fields import Field

from odoo.addons.base.models.ir_actions import IrActionsServer

from ..expressions import (
    GUARD,
    do_for_expression,
    is_at_run_time,
    refuse_expressions,
)
from ..lib.expressions import is_evaluated
from ..lib.related_addons import find_related
from .left_work import filter_left
from .our_fields import HARMLESS
from .readers import (
    get_served_person,
    is_own_environment,
    may_person_read,
    may_read,
)

_logger = logging.getLogger(__name__)
_here = threading.local()
_ADDONS, _OURS, _OURS_MODELS = "odoo.addons.", "spar_", "spar."

#: Models that stand for people, and logs that name staff by their number.
_PEOPLE = (
    "res.partner",
    "res.users",
    "spar.account.act",
    "spar.alarm",
    "spar.subject",
)
#: Fields of every model that name who wrote a record.
_WRITERS = ("create_uid", "write_uid")
#: Changes of settings name nobody. Odoo reads whole settings of its own, with the
#: change that waits, also for visitors: the providers on the login page.
_ABOUT_NOBODY = ("spar.setting.change",)
#: Models whose rows Odoo carries out: they read what they name, not their user.
_ROWS = ("base.automation", "ir.actions.server")
#: The code of the ORM that reads for a field which copies another one.
_COPYING = (id(Field._compute_related.__code__), id(Field._search_related.__code__))

#: What every model has to read its records. Addons override it for their models, ours
#: among them, and such an override reads for whoever calls it.
_READING = frozenset(
    (
        "_compute_field_value",
        "_order_field_to_sql",
        "_read_group",
        "_read_group_groupby",
        "_read_group_select",
        "_search",
        "_search_display_name",
        "export_data",
        "fetch",
        "filtered_domain",
        "formatted_read_group",
        "formatted_read_grouping_sets",
        "name_search",
        "onchange",
        "read",
        "read_group",
        "read_progress_bar",
        "search",
        "search_count",
        "search_fetch",
        "search_panel_select_multi_range",
        "search_panel_select_range",
        "search_read",
        "web_name_search",
        "web_read",
        "web_read_group",
        "web_search_read",
    )
)
#: The beginning of the names of modules that check credentials.
_CHECKING = ("odoo.addons.auth_", "odoo.addons.base.models.res_users", _ADDONS + _OURS)
#: Files of guards, which are among the callers of every read.
_GUARDS = (__file__, GUARD, str(Path(__file__).parents[1] / "closed_fields.py"))
#: Addons that show a form to the user who has it open.
_SHOWING = ("base", "rpc", "web")


def note_addons(registry) -> None:
    """Note the addons of a database that belong together with ours."""
    registry["base"]._spar_related = find_related_addons(registry)


def find_related_addons(registry) -> frozenset[str]:
    """Return the addons of a database that belong together with ours."""
    depends = {}
    for name in registry._init_modules:
        if manifest := Manifest.for_addon(name, display_warning=False):
            depends[name] = tuple(manifest["depends"])
    return frozenset(find_related(depends, _OURS))


def guard_searches(registry) -> None:
    """Guard the searches of our models: also a field is read by a search.

    The rows of forms, too: they name a person beside a provider.
    """
    for name, model in registry.items():
        if name.startswith(_OURS_MODELS) and (_is_guarded(model) or _is_form(model)):
            _guard_searches_of(model)


def _is_guarded(model) -> bool:
    """Return whether a model of ours stores what concerns people."""
    is_stored = not (model._abstract or model._transient)
    return is_stored and model._original_module != HARMLESS


def _is_form(model) -> bool:
    """Return whether a model of ours stores what staff have open."""
    return model._transient and model._original_module != HARMLESS


def _guard_searches_of(model: type) -> None:
    def _search(self, *args, **options):
        reader = _check_asker(self)
        records = self if reader is None else self.with_user(reader)
        with _applying_rules(records):
            return super(model, records)._search(*args, **options)

    model._search = _search


@contextmanager
def _applying_rules(records) -> Iterator[None]:
    """Note that a search is a person's: Odoo applies its access rules as superuser.

    A rule may ask about another model, whose rule asks about this one. Asked as the
    person, that would never end.
    """
    before = getattr(_here, "applies_rules", False)
    _here.applies_rules = before or not records.env.su
    try:
        yield
    finally:
        _here.applies_rules = before


def _applies_rules(records) -> bool:
    """Return whether records are read for the access rules of a person's search."""
    return records.env.su and getattr(_here, "applies_rules", False)


def guard_computed_fields() -> None:
    """Guard the computed fields of our models: they show what is sealed, masked.

    What an expression has left to be computed, it reads.
    """
    compute = Field.compute_value

    @functools.wraps(compute)
    def compute_value(self, records):
        if self.store and (left := filter_left(self, records)):
            do_for_expression(functools.partial(compute, self, left))
            records -= left
            if not records:
                return None
        if self.model_name.startswith(_OURS_MODELS):
            if _is_guarded(records) or _is_form(records):
                _check_asker(records)
                _check_reader(records)
        return compute(self, records)

    Field.compute_value = compute_value


def _check_reader(records) -> None:
    """Raise AccessError if a user may not read the stored records among these.

    Odoo asks before it reads stored fields; a name that is computed is shown to whoever
    knows a number, and rows of Odoo name any record by its number.
    """
    if not records.env.su:
        records.browse(filter(None, records.ids)).check_access("read")


def _check_asker(records):
    """Raise an error if the first caller outside the ORM may not read these records.

    Return the user for whom Odoo reads what concerns people, as superuser or in the
    name of somebody else, or None. The domain may be that person's own: what it finds,
    they may see.

    Raises CalledFromExpression and AccessError.
    """
    frame = _find_other_asker((__file__,))
    if frame is None or is_own_environment(records.env) or _applies_rules(records):
        return None
    return _check_addon(records, _get_addon(frame))


def _find_other_asker(
    passing: tuple[str, ...],
    trusted: tuple[str, ...] = (_ADDONS + _OURS,),
) -> FrameType | None:
    """Return the first caller if it is code that may not read everything.

    Raises CalledFromExpression for an expression, and for what reads on its behalf.

    :param passing: see ``_find_asker``
    :param trusted: the beginning of the names of modules that read what they want
    """
    frame = _find_asker(passing)
    if frame is None:
        return None
    if _is_expression(frame):
        refuse_expressions()
        return None
    if frame.f_globals.get("__name__", "").startswith(trusted):
        return None
    if _is_for_expression(frame):
        refuse_expressions()
    return frame


def _is_expression(frame: FrameType) -> bool:
    """Return whether a frame is that of an expression, or does what one has left."""
    return is_evaluated(frame) or frame.f_code is do_for_expression.__code__


def _is_for_expression(frame: FrameType | None) -> bool:
    """Return whether a helper of Odoo reads for an expression, or for a stored action.

    Code of ours that an expression called decides itself what it reads, except where it
    overrides a method by which every model reads its records.
    """
    while frame is not None:
        if _is_expression(frame) or frame.f_code is IrActionsServer._run.__code__:
            return True
        name = frame.f_globals.get("__name__", "")
        is_passing = frame.f_code.co_filename in _GUARDS or _is_reading(frame)
        if name.startswith(_ADDONS + _OURS) and not is_passing:
            return False
        frame = frame.f_back
    return False


def _is_reading(frame: FrameType) -> bool:
    """Return whether a method reads records of ours for whoever calls it."""
    records = frame.f_locals.get("self")
    return (
        frame.f_code.co_name in _READING
        and isinstance(records, BaseModel)
        and records._name.startswith(_OURS_MODELS)
    )


def _find_asker(passing: tuple[str, ...]) -> FrameType | None:
    """Return the first caller that is an expression, code of an addon or a copy.

    Methods that every model has are passed over: whoever calls them asks.

    :param passing: the files of guards, which ask for others
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and not _is_expression(frame):
        name, code = frame.f_globals.get("__name__", ""), frame.f_code
        is_passing = code.co_filename in passing or (
            code.co_name in _READING
            and isinstance(frame.f_locals.get("self"), BaseModel)
        )
        if (name.startswith(_ADDONS) and not is_passing) or _is_copying(frame):
            return frame
        frame = frame.f_back
    return frame


def _is_copying(frame: FrameType) -> bool:
    """Return whether the ORM reads for a custom field that copies another one."""
    return id(frame.f_code) in _COPYING and frame.f_locals["self"].manual


def _get_addon(frame: FrameType) -> str:
    return frame.f_globals["__name__"].split(".")[2]


def _is_about_people(registry, name: str, seen: set[str]) -> bool:
    """Return whether a model has something sealed, or names people.

    It may name them through models that are not in ``seen``: an event names a mapping,
    which names the person. A visitor of a website would read a history otherwise.
    """
    model = registry[name]
    if name in _PEOPLE or hasattr(model, "_sealed_columns"):
        return True
    named = {
        field.comodel_name
        for key, field in model._fields.items()
        if field.type == "many2one" and key not in _WRITERS
    }
    seen |= {name}
    return any(
        _is_about_people(registry, other, seen)
        for other in sorted(named - seen)
        if other in _PEOPLE or other.startswith(_OURS_MODELS)
    )


def _check_addon(records, addon: str):
    if not is_at_run_time(records.env):
        return None
    is_limited = records._name not in _ABOUT_NOBODY and _is_about_people(
        records.env.registry, records._name, set()
    )
    person = get_served_person(records.env) if is_limited else None
    if addon in records._spar_related and (person is None or may_read(person, records)):
        return person
    _logger.error("SPAR ALARM %s tried to read %s; refused", addon, records._name)
    raise AccessError(
        records.env._(
            "Other apps cannot read %(model)s. Use SPAR's own screens.",
            model=records._description,
        )
    )


# === FIELDS ON MODELS OF OTHERS === #


def check_field_reader(records, field: Field) -> None:
    """Raise an error if a row, or code that may not, reads what we know of contacts.

    Raises CalledFromExpression and AccessError.
    """
    if not is_at_run_time(records.env):
        return
    frame = _find_other_asker(_GUARDS)
    if frame is None:
        return
    addon = _get_addon(frame)
    is_open = addon in records._spar_related and may_person_read(records)
    if _is_of_row(frame) or (records.env.su and not is_open):
        _refuse_field(records, field, addon)


def check_secret_reader(records, field: Field) -> None:
    """Raise an error unless code that checks credentials, or their user, reads one.

    Raises CalledFromExpression and AccessError.
    """
    frame = _find_other_asker(_GUARDS, _CHECKING)
    if frame is None:
        return
    addon = _get_addon(frame)
    is_shown = addon in _SHOWING and not records.env.su
    if _is_of_row(frame) or not is_shown:
        _refuse_field(records, field, addon)


def _is_of_row(frame: FrameType) -> bool:
    """Return whether code asks because a row says so."""
    name = getattr(frame.f_locals.get("self"), "_name", None)
    return name in _ROWS or _is_copying(frame)


def _refuse_field(records, field: Field, addon: str) -> None:
    _logger.error("SPAR ALARM %s tried to read %s; refused", addon, field)
    raise AccessError(
        records.env._(
            "Rules, filters, actions and other apps cannot read %(field)s "
            "(%(model)s). Only SPAR's own screens show it.",
            field=field.string,
            model=records._description,
        )
    )
