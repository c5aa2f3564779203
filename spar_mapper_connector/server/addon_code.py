"""Rows of Odoo that are code, or lead people, which addons alone bring.

Whoever writes an action has it run by everybody, often as superuser. The guards on the
registry's records (``expressions.py``, ``reading.py``) refuse what it tries. This is
the wall before them: nobody adds code to a running database. The server's operator
does, by an addon; or allows it, where other work in the same database needs it
(``lib/addon_code.py``).
"""

from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..expressions import is_at_run_time
from ..lib.addon_code import is_addon_code_only

#: The models, and the fields of each that people may still write.
CODE = {
    "base.automation": {"active", "name"},
    "gamification.goal.definition": {"description", "full_suffix", "name", "suffix"},
    "ir.actions.act_url": {"name"},
    "ir.actions.act_window": {"name"},
    "ir.actions.act_window.view": {"sequence"},
    "ir.actions.act_window_close": {"name"},
    "ir.actions.actions": {"name"},
    "ir.actions.client": {"name"},
    "ir.actions.report": {"name", "paperformat_id"},
    "ir.actions.server": {"name", "sequence"},
    "ir.cron": {
        "active",
        "cron_name",
        "failure_count",
        "first_failure_date",
        "interval_number",
        "interval_type",
        "lastcall",
        "name",
        "nextcall",
        "priority",
    },
    "ir.model": {"access_ids", "info", "name"},
    "ir.model.fields": {"field_description", "help"},
    "ir.rule": {"name"},
    "ir.ui.menu": {"active", "sequence"},
    "website.snippet.filter": {"help", "is_published", "limit", "name", "website_id"},
}
#: Rows that addons write within others, without a name, or that are in several tables.
_WITHIN = {
    "ir.actions.act_window.view",
    "ir.actions.act_window_close",
    "ir.actions.actions",
}
#: What groups, among others, also have as a field of theirs.
_LINKED = {*CODE, "ir.ui.view"}


def is_closed_to_code(env) -> bool:
    """Return whether somebody who uses the running server could add code here."""
    return is_addon_code_only() and is_at_run_time(env)


def check_code(model, names=None) -> None:
    """Raise ValidationError if somebody would add or change a row that is code.

    :param names: the fields that are written; None for a new row
    """
    free = CODE.get(model._name)
    if free is None or (names is not None and free.issuperset(names)):
        return
    if is_closed_to_code(model.env):
        refuse_code(model)


def check_deleting(records) -> None:
    """Raise ValidationError if somebody would delete such a row of an addon.

    Without a rule of Odoo's, everybody with a login reads every contact.
    """
    if records._name in CODE and is_closed_to_code(records.env):
        if any(records.sudo()._get_external_ids().values()):
            refuse_code(records)


def list_links(model, names) -> list[str]:
    """Return the fields by which such rows are changed from another record.

    A group, for one, has the table that says whom a rule concerns as a field of its
    own; a write there is none of the rule. Raises ValidationError if nobody may.
    """
    if model._name in _LINKED:
        return []
    fields = [model._fields[name] for name in names if name in model._fields]
    links = [field for field in fields if _is_link(model, field)]
    if links and is_closed_to_code(model.env):
        refuse_code(model.env[links[0].comodel_name])
    return [field.name for field in links]


def check_linked(records) -> None:
    """Raise ValidationError if ours are among rules, menus or views that were linked.

    So also where code in the database is allowed.
    """
    for check in ("_check_closed", "_check_not_shipped"):
        if hasattr(records, check):
            getattr(records, check)()


def _is_link(model, field) -> bool:
    if field.type != "many2many" or not field.store:
        return False
    return field.comodel_name in _LINKED and _shares(
        model.env[field.comodel_name], field
    )


def _shares(linked, field) -> bool:
    """Return whether a model has the table of another model's field as its own."""
    return any(
        own.type == "many2many" and own.store and own.relation == field.relation
        for own in linked._fields.values()
    )


def find_foreign_code(env) -> list[tuple[str, int]]:
    """Return the rows that are code and that no addon brought: table and id.

    They are from before, where code in the database is closed now, or SQL wrote them.
    """
    found: list[tuple[str, int]] = []
    if not is_addon_code_only():
        return found
    for name in sorted(env.registry):
        model = env[name]
        if name in CODE and name not in _WITHIN:
            found += [(model._table, row_id) for row_id in _find_unnamed(model)]
        elif hasattr(model, "_find_foreign_code"):
            found += [(model._table, row_id) for row_id in model._find_foreign_code()]
    return found


def _find_unnamed(model) -> list[int]:
    """Return the ids of rows without an external ID, which those of addons have."""
    model.flush_model()
    query = SQL(
        """SELECT t.id FROM %s t
            WHERE coalesce(to_jsonb(t)->>'state', '') <> 'base'
              AND NOT EXISTS (SELECT FROM ir_model_data d
                               WHERE d.model = %s AND d.res_id = t.id)
            ORDER BY 1""",
        SQL.identifier(model._table),
        model._name,
    )
    return [row_id for (row_id,) in model.env.execute_query(query)]


def refuse_code(model) -> None:
    """Raise ValidationError, and say where code comes from."""
    raise ValidationError(
        model.env._(
            "%(model)s: you cannot add, change or delete this here because it runs, or "
            "opens, for others, and this database holds people's accounts. Ship it in "
            "an addon, or ask the server's operator.",
            model=model._description,
        )
    )
