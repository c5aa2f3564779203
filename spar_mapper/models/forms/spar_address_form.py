from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib import address_rules
from odoo.addons.spar_fa_directory.lib.address_rules import Kinds

from ...lib.records import KEY_FORM, TEXT_FORM

#: States of a form whose addresses may read differently by the current rules.
ALIVE = ("current", "older")


class AddressState(NamedTuple):
    """The forms in which addresses are stored at present.

    ``number`` is that of the current rules; 0 if they are not kept yet. An address with
    a number below ``below`` may have another form by these rules. ``older`` are the
    rules by which such addresses were written, newest first.
    """

    number: int
    below: int
    older: tuple[Kinds, ...]


class SparAddressForm(models.Model):
    """One present or past form of addresses: its rules and its library versions.

    Each period names the form in which its address was written; the first form is the
    text itself, as it was received. If a rule of a part or a checking library changes,
    a new form is created, and a run checks the addresses (``spar.form.run``). Until
    that run has ended, addresses are also looked up by the older rules.
    """

    _name = "spar.address.form"
    _description = "Form of addresses"
    _inherit = ["spar.cached.records", "spar.stored.form"]
    _rec_name = "number"
    _order = "number desc"
    _log_access = False

    data = fields.Json(
        help="The parts of each kind of address with their checks, and the versions of "
        "the checking libraries. If empty: the text as it was received.",
    )
    state = fields.Selection(
        [
            ("current", "In use"),
            ("older", "Some addresses may still have this form"),
            ("gone", "All addresses concerned have been rewritten"),
        ],
        required=True,
        readonly=True,
    )

    _number_uniq = models.UniqueIndex(
        "(number)", "The number of a form must be unique."
    )

    # === EXISTING FORMS === #

    @api.model
    def _get_state(self) -> AddressState:
        """Return the relevant forms, cached until a rule or a form changes."""
        versions = self.env["spar.row.versions"]
        names = ("spar.fa.type", "spar.fa.type.part", self._name)
        return versions._reuse(self, "_build_state", *names)

    @api.model
    def _build_state(self) -> AddressState:
        forms_sudo = self.sudo().search([("state", "in", ALIVE)])
        data = self._build_data()
        same_sudo = forms_sudo.filtered(lambda form: form.data == data)[:1]
        older_sudo = forms_sudo.filtered(
            lambda form: form.state == "older" and form.number > TEXT_FORM
        )
        return AddressState(
            same_sudo.number,
            max(forms_sudo.mapped("number")) if older_sudo else KEY_FORM,
            tuple(
                address_rules.load_kinds(form.data)
                for form in older_sudo - same_sudo
                if form.data
            ),
        )

    @api.model
    def _build_data(self) -> dict:
        return address_rules.to_data(self.env["spar.fa.strategy"]._get_known_kinds())

    @api.model
    def _get_number(self) -> int:
        """Return the number for newly written addresses; new rules get a new number."""
        return self._get_state().number or self._add_current()

    # === ADDING A FORM === #

    @api.model
    def _store_rules(self) -> int:
        forms_sudo = self.sudo()
        data = self._build_data()
        last_sudo = forms_sudo.search([("state", "=", "current")], limit=1)
        if not last_sudo:
            return self._store_first(data)
        difference = address_rules.compare(last_sudo.data or {}, data)
        if not difference:
            # The only new kinds are ones that no address uses yet.
            last_sudo.data = data
            return last_sudo.number
        last_sudo.state = "older"
        number = forms_sudo.search([], limit=1).number + 1
        forms_sudo.create(self._build_values(number, data, "current"))
        scope = {"types": list(difference.type_ids)}
        if difference.is_general:
            scope["below"] = number
        self.env["spar.form.run"].sudo()._begin_addresses(scope)
        return number

    @api.model
    def _store_first(self, data: dict) -> int:
        """Keep the first two forms: the text itself, and what an address is."""
        query = SQL(
            "SELECT EXISTS (SELECT FROM spar_mapping_period WHERE form = %s)", TEXT_FORM
        )
        state = "older" if self.env.execute_query(query)[0][0] else "gone"
        self.sudo().create(
            [
                self._build_values(TEXT_FORM, False, state),
                self._build_values(KEY_FORM, data, "current"),
            ]
        )
        return KEY_FORM

    @api.model
    def _build_values(self, number: int, data: dict | bool, state: str) -> dict:
        since = fields.Datetime.now()
        return {"number": number, "data": data, "state": state, "since": since}

    # === RETIRING A FORM === #

    @api.model
    def _retire(self) -> None:
        """Stop looking up by older rules: a run has handled all addresses."""
        older_sudo = self.sudo().search(Domain("state", "=", "older"))
        if older_sudo:
            older_sudo.state = "gone"
