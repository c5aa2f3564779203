"""A guard on rows that name fields which no row may read.

Filters, rules, paths, formulas and custom fields are evaluated as superuser. Reading
such a field is refused as well (``closed_fields.py``); this says so to whoever types
it, and names what was typed before.

The same holds for rows that link a report of ours: a mail's template would have it
made of whatever record of ours has the number of the contact that is written to. Making
it is refused as well (``models/customising/ir_actions.py``).
"""

from odoo.exceptions import ValidationError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..closed_fields import SecretChar, is_closed
from ..expressions import is_at_run_time
from ..lib.naming import find_name, holds_names

_TEXTS = ("char", "json", "properties_definition", "text")
#: Models whose texts are evaluated in the browser, or as the user who has them, or
#: that only note what there is.
_AS_USER = (
    "base_import.mapping",
    "ir.actions.act_window",
    "ir.actions.server.history",
    "ir.attachment",
    "ir.exports.line",
    "ir.filters",
    "ir.logging",
    "ir.model",
    "ir.model.constraint",
    "ir.model.data",
    "ir.model.fields.selection",
    "ir.profile",
    "ir.ui.menu",
    "ir.ui.view",
    "mail.tracking.value",
    "res.users.settings.embedded.action",
)
_FIELDS = "ir.model.fields"
_REPORTS = "ir.actions.report"
#: What a link can name.
_LINKED = (_FIELDS, _REPORTS)


def note_naming(registry) -> None:
    """Note which names no row holds, and for each model where it would hold one."""
    base = registry["base"]
    base._spar_unnamed = frozenset(
        field.name
        for model in registry.values()
        for field in model._fields.values()
        if not model._transient and _is_unnamed(field)
    )
    for name, model in registry.items():
        is_free = name.startswith("spar.") or name in _AS_USER or not model._auto
        fields = () if is_free or model._abstract else model._fields.values()
        model._spar_naming = frozenset(f.name for f in fields if _may_name(f))


def _is_unnamed(field) -> bool:
    """Return whether no row may name a field. Actions set passwords of new accounts."""
    if isinstance(field, SecretChar) and field.groups != NO_ACCESS:
        return False
    return is_closed(field) or field.groups == NO_ACCESS


def _may_name(field) -> bool:
    """Return whether a stored field holds names of fields, or links them or reports."""
    if not field.store or field.related:
        return False
    if field.type in ("many2one", "many2many"):
        return field.comodel_name in _LINKED
    return field.type in _TEXTS and holds_names(field.name)


def check_naming(records, changed) -> None:
    """Raise ValidationError if rows name, in changed fields, what they may not."""
    names = records._spar_naming.intersection(changed)
    if not names or not is_at_run_time(records.env):
        return
    for record in records.sudo():
        for name in sorted(names):
            field = record._fields[name]
            if found := _find_unnamed(record, field):
                raise ValidationError(_explain(records.env, field, found))


def _explain(env, field, name: str) -> str:
    if field.comodel_name == _REPORTS:
        return env._(
            "You cannot use the report %(name)s in %(field)s: it shows people's "
            "accounts, and is made only for somebody who opens it on SPAR's own "
            "screens.",
            name=name,
            field=field.string,
        )
    return env._(
        "You cannot use %(name)s in %(field)s here: Odoo would read it past its access "
        "rights. Ship it in an addon.",
        name=name,
        field=field.string,
    )


def _find_unnamed(record, field) -> str | None:
    """Return what a field of a row names and may not."""
    value, closed = record[field.name], record._spar_unnamed
    if field.comodel_name not in _LINKED:
        return find_name(str(value), closed) if value else None
    return next((each.name for each in value if _is_closed_row(each)), None)


def _is_closed_row(row) -> bool:
    if row._name == _REPORTS:
        return row._is_report_of_ours()
    model = row.env.get(row.model)
    field = model._fields.get(row.name) if model is not None else None
    return field is not None and _is_unnamed(field)


def find_naming(env) -> list[tuple[str, int]]:
    """Return table and id of the rows that name what they may not.

    They are from before this was refused, or written by SQL.
    """
    return _find_rows(env, lambda field: field.comodel_name != _REPORTS)


def find_linked_reports(env) -> list[tuple[str, int]]:
    """Return table and id of the rows that link a report of ours."""
    return _find_rows(env, lambda field: field.comodel_name == _REPORTS)


def _find_rows(env, is_wanted) -> list[tuple[str, int]]:
    env.flush_all()
    found = set()
    for model in env.registry.values():
        for name in model._spar_naming:
            field = model._fields[name]
            if is_wanted(field):
                rows = env.execute_query(_build_query(env, model, field))
                found |= {(model._table, row_id) for (row_id,) in rows}
    return sorted(found)


def _build_query(env, model, field) -> SQL:
    table, column = SQL.identifier(model._table), SQL.identifier(field.name)
    closed = sorted(model._spar_unnamed)
    # Fields of code are noted in the table of custom fields, too.
    some = SQL("state = 'manual' AND" if model._name == _FIELDS else "")
    if field.comodel_name not in _LINKED:
        words = rf"\y({'|'.join(closed)})\y"
        return SQL(
            "SELECT id FROM %s WHERE %s %s::text ~ %s", table, some, column, words
        )
    domain = [("name", "in", closed)] if field.comodel_name == _FIELDS else []
    named = env[field.comodel_name].sudo().search(domain)
    ids = [row.id for row in named if _is_closed_row(row)]
    if field.type == "many2one":
        return SQL("SELECT id FROM %s WHERE %s %s = ANY(%s)", table, some, column, ids)
    return SQL(
        "SELECT %s FROM %s WHERE %s = ANY(%s)",
        SQL.identifier(field.column1),
        SQL.identifier(field.relation),
        SQL.identifier(field.column2),
        ids,
    )
