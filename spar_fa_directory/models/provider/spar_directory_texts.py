from textwrap import shorten

from odoo import api, models
from odoo.exceptions import ValidationError

from ...lib.cell_rules import (
    clean_code,
    clean_text,
    find_code_problem,
    find_name_problem,
)

_SHOWN = 60  # characters of a text in a message
_CLEANERS = {"name": clean_text, "code": clean_code}
_FINDERS = {"name": find_name_problem, "code": find_code_problem}


class SparDirectoryTexts(models.AbstractModel):
    """Names and codes: the same rules for forms, files and Odoo's importer."""

    _name = "spar.directory.texts"
    _description = "Names and Codes of the Directory"

    @api.model
    def _clean_texts(self, vals: dict) -> dict:
        """Return the values as they are stored, without invisible characters."""
        return vals | {
            name: clean(vals[name])
            for name, clean in _CLEANERS.items()
            if isinstance(vals.get(name), str)
        }

    @api.onchange("name", "code")
    def _onchange_texts(self):
        for record in self:
            record.update(
                record._clean_texts({"name": record.name, "code": record.code})
            )

    @api.constrains("name", "code")
    def _check_texts(self):
        for record in self:
            for name, find_problem in _FINDERS.items():
                problem = find_problem(record[name] or "")
                if problem not in ("", "too_long"):
                    raise ValidationError(record._get_bad_text(name, problem))

    def _get_bad_text(self, name: str, problem: str) -> str:
        texts = self.env["spar.directory.loader"]._get_cell_texts()
        return self.env._(
            "%(record)s: %(field)s “%(value)s”. %(problem)s",
            record=shorten(self.name, _SHOWN),
            field=self._fields[name]._description_string(self.env),
            value=shorten(self[name], _SHOWN),
            problem=texts[problem],
        )
