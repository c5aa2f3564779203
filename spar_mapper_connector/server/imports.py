"""A guard on Odoo's own import, which keeps the uploaded file in the database.

The file would be in each backup, and open to every expression. A file with IDs of
people is loaded with SPAR's own importers, which seal it.
"""

from ..clear_fields import is_clear

_IMPORT = "base_import.import"


def guard_imports(registry) -> None:
    """Have Odoo's import refuse, and forget, a file with values that are sealed."""
    model = registry.models.get(_IMPORT)
    if model is None:
        return

    def execute_import(self, fields, columns, options, dryrun=False):
        if any(_leads_to_clear(self.env[self.res_model], path) for path in fields):
            self.file = False
            return {"ids": False, "messages": [_build_refusal(self.env)]}
        return super(model, self).execute_import(fields, columns, options, dryrun)

    model.execute_import = execute_import


def _leads_to_clear(model, path) -> bool:
    """Return whether a column is for a value that is shown in clear, but stored sealed.

    :param path: names of fields, such as ``spar_identity_ids/value``, or False
    """
    for name in (path or "").split("/"):
        field = model._fields.get(name) if model is not None else None
        if field is None:
            return False
        if is_clear(field):
            return True
        model = model.env.get(field.comodel_name or "")
    return False


def _build_refusal(env) -> dict:
    return {
        "type": "error",
        "record": False,
        "message": env._(
            "Odoo's import cannot load IDs because it stores the file unencrypted. The "
            "file was deleted. Load it under Programmes > Load from a file."
        ),
    }
