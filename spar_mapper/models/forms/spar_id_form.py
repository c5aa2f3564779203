from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.id_forms import (
    NEWEST,
    IdForm,
    load_form,
)

from ...exceptions import RowBroken
from ...lib import audit
from ...lib.id_reading import FormState, to_plain
from ...lib.records import FIRST_ID_FORM, ID_FORM
from ...store.sealing import FORMS

#: States of a form in which rows may exist.
ALIVE = ("current", "older")


class SparIdForm(models.Model):
    """One present or past form of IDs: its rules and its library versions.

    Each row of an ID names the form in which it was written. If the rules of an ID type
    or a checking library change, a new form is created, and a job rewrites the rows in
    it (``spar.form.run``). As long as a row is in an older form, texts are also read by
    that form.
    """

    _name = "spar.id.form"
    _description = "Form of IDs"
    _inherit = ["spar.cached.records", "spar.stored.form", "spar.sealed.rows"]
    _rec_name = "number"
    _order = "number desc"
    _log_access = False
    _sealed_table = FORMS

    algorithm = fields.Integer(required=True, readonly=True)
    data = fields.Json(
        required=True,
        help="The rules of each ID type, and the versions of the checking libraries.",
    )
    state = fields.Selection(
        [
            ("current", "In use"),
            ("older", "Some IDs still have this form"),
            ("gone", "No longer used"),
        ],
        required=True,
        readonly=True,
    )
    is_contested = fields.Boolean(
        readonly=True,
        string="Cases are open",
        help="IDs of several people would be the same in this form.",
    )
    is_foreseen = fields.Boolean(
        readonly=True,
        string="Checked",
        help="The outcome for IDs in older forms is recorded, and they can also be "
        "found by it.",
    )

    _number_uniq = models.UniqueIndex(
        "(number)", "The number of a form must be unique."
    )

    # === EXISTING FORMS === #

    @api.model
    def _get_state(self) -> FormState:
        """Return the forms in use, cached until a rule or a form changes."""
        versions = self.env["spar.row.versions"]
        return versions._reuse(self, "_build_state", "spar.id.type", self._name)

    @api.model
    def _build_state(self) -> FormState:
        newest = IdForm(NEWEST, self.env["spar.id.type"]._get_rules())
        forms_sudo = self.sudo().search([("state", "in", ALIVE)])
        plain = to_plain(newest)
        same_sudo = forms_sudo.filtered(lambda form: form.data == plain)[:1]
        older = [(form.number, load_form(form.data)) for form in forms_sudo - same_sudo]
        if not forms_sudo:
            older = [(FIRST_ID_FORM, IdForm(FIRST_ID_FORM, newest.rules))]
        return FormState(
            newest,
            same_sudo.number,
            tuple(older),
            any(forms_sudo.mapped("is_contested")),
            same_sudo.is_foreseen,
            {
                form.number: load_form(form.data)
                for form in forms_sudo
                if form.data["libraries"] == plain["libraries"]
            },
            self._find_problem(),
        )

    @api.model
    def _find_problem(self) -> tuple[str, int, str] | None:
        """Return why the forms cannot be trusted, or None."""
        query = SQL(
            """SELECT EXISTS (SELECT FROM spar_id_form),
                      EXISTS (SELECT FROM spar_subject_id)"""
        )
        ((has_forms, has_ids),) = self.env.execute_query(query)
        if not has_forms:
            return (self._table, 0, audit.FORMS_REMOVED) if has_ids else None
        row_seals = self._get_row_seals()
        altered = row_seals.find_altered(FORMS) or row_seals.find_altered_set(FORMS)
        return altered[0] if altered else None

    @api.model
    def _get_number(self) -> int:
        """Return the number for newly written rows; new rules get a new number.

        Raises RowBroken if the forms cannot be trusted.
        """
        state = self._get_state()
        if state.problem:
            self.env["spar.alarm"]._raise_alarms([state.problem])
            raise RowBroken(*state.problem)
        return state.number or self._add_current()

    @api.model
    def _get_all_forms(self) -> dict[int, IdForm]:
        """Return every form that was ever kept, by number."""
        forms_sudo = self.sudo().search(Domain.TRUE)
        return {form.number: load_form(form.data) for form in forms_sudo}

    # === ADDING A FORM === #

    @api.model
    def _store_rules(self) -> int:
        forms_sudo = self.sudo()
        last = forms_sudo.search([], limit=1)
        if not last:
            self._store_first()
        rules = self.env["spar.id.type"]._get_rules()
        forms_sudo.search([("state", "=", "current")]).state = "older"
        number = (last.number or FIRST_ID_FORM) + 1
        forms_sudo.create(
            self._build_values(
                number,
                IdForm(NEWEST, rules),
                "current",
                is_contested=last.is_contested,
            )
        )
        self.env["spar.form.run"].sudo()._begin_ids()
        return number

    @api.model
    def _store_first(self) -> None:
        """Keep the form that predates kept forms, whether it has rows or not."""
        query = SQL(
            """SELECT EXISTS (SELECT FROM spar_subject_id
                               WHERE coalesce(form, %s) < %s)""",
            FIRST_ID_FORM,
            ID_FORM,
        )
        state = "older" if self.env.execute_query(query)[0][0] else "gone"
        form = IdForm(FIRST_ID_FORM, self.env["spar.id.type"]._get_rules())
        self.sudo().create(self._build_values(FIRST_ID_FORM, form, state))

    @api.model
    def _build_values(self, number: int, form: IdForm, state: str, **values) -> dict:
        return {
            "number": number,
            "algorithm": form.algorithm,
            "data": to_plain(form),
            "state": state,
            "since": fields.Datetime.now(),
            **values,
        }

    # === RETIRING A FORM === #

    @api.model
    def _retire(self) -> bool:
        """Retire the forms of which no row is left; return whether there were any.

        No transaction writes meanwhile: one that still writes by old rules is waited
        for, and one that begins by them later is refused by the table, and retried.
        """
        older = self.sudo().search([("state", "=", "older")])
        if not older.filtered(lambda form: not form._has_rows()):
            return False
        self._wait_for_writers()
        ended = older.filtered(lambda form: not form._has_rows())
        ended.write({"state": "gone"})
        return bool(ended)

    @api.model
    def _wait_for_writers(self) -> None:
        """Wait for all writers, and stay alone until this transaction ends.

        A transaction that sees only older rows fails and is retried, as it is when keys
        change.
        """
        keyring = self.env["spar.keyring"]
        keyring._lock_phase_alone()
        self.env.cr.execute("UPDATE spar_keyring_phase SET seal_key = seal_key")
        keyring._forget_phase()

    def _has_rows(self) -> bool:
        query = SQL(
            "SELECT EXISTS (SELECT FROM spar_subject_id WHERE form = %s)", self.number
        )
        return self.env.execute_query(query)[0][0]
