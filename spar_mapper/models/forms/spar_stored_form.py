import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL


class SparStoredForm(models.AbstractModel):
    """A form in which IDs or addresses are stored: the role of a cached record.

    The current rules get a number when something is first written by them.
    """

    _name = "spar.stored.form"
    _description = "Form of stored data"

    number = fields.Integer(required=True, readonly=True)
    data = fields.Json(readonly=True, string="Rules")
    libraries = fields.Char(compute="_compute_libraries")
    since = fields.Datetime(required=True, readonly=True)

    @api.depends("data")
    def _compute_libraries(self):
        for form in self:
            known = (form.data or {}).get("libraries", {})
            form.libraries = ", ".join(f"{k} {v}" for k, v in sorted(known.items()))

    @api.model
    def _get_state(self):
        """Return the relevant forms; ``number`` is 0 for rules not stored yet."""
        raise NotImplementedError

    @api.model
    def _store_rules(self) -> int:
        """Store the current rules, and start a run for their effect.

        Return the number of the rules.
        """
        raise NotImplementedError

    @api.model
    def _add_current(self) -> int:
        """Store the current rules under a new number; the previous ones become older.

        Raises ConcurrencyError if another transaction has just done so.
        """
        table = SQL.identifier(self._table)
        self.env.cr.execute(SQL("LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", table))
        self._forget_versions()
        number = self._get_state().number
        if number:
            return number
        try:
            return self._store_rules()
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("these rules were just stored") from error
