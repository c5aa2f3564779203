from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.spar_mapper_connector.lib.contract import CallContext, Result

from ..lib.parties import COLLECTOR, Party, build_witness_party, find_part
from ..lib.witnesses import HEARD
from ..models.staff.spar_lookup import FoundPlace
from .spar_confirm_once import Compared


class SparWitnessEntry(models.AbstractModel):
    """The part of a form for people as they come: no ID card, or unable to read.

    Both need witnesses and a document. Somebody without an ID card gets a provisional
    reference, and a second person always decides; somebody who cannot read hears a
    script, and signs the form or leaves a thumb print.
    """

    _name = "spar.witness.entry"
    _description = "Form with witnesses"

    is_provisional = fields.Boolean(string="No ID card")
    why_no_id = fields.Selection(
        selection=lambda self: self.env["spar.provisional"]._selection_why(),
        string="Why there is no ID card",
    )
    cannot_read = fields.Boolean(string="This person cannot read")
    read_lang = fields.Selection(
        selection=lambda self: self.env["res.lang"].get_installed(),
        string="Language of the person",
        default=lambda self: self.env.user.lang,
    )
    read_text = fields.Text(string="Read this aloud", compute="_compute_read_text")
    witness_ids = fields.One2many(
        "spar.mapping.wizard.witness",
        "wizard_id",
        string="Witnesses",
        default=lambda self: self._default_witness_ids(),
    )

    @api.model
    def _default_witness_ids(self):
        """Return as many empty lines as there must be witnesses."""
        if not self.env.context.get("default_is_provisional"):
            return []
        least = self.env["spar.limit"]._get_number("provisional_witnesses")
        return [Command.create({}) for _line in range(least)]

    @api.onchange("cannot_read")
    def _onchange_cannot_read(self):
        if self.cannot_read and not self.witness_ids:
            self.witness_ids = [Command.create({})]

    # === READING ALOUD === #

    @api.depends(
        "cannot_read",
        "read_lang",
        "operation",
        "mapping_id",
        "has_evidence",
        "is_provisional",
        "fa_text",
        "provider_id",
        "branch_id",
        "part_ids.value",
    )
    def _compute_read_text(self):
        for form in self:
            form.read_text = form.cannot_read and form._build_read_text()

    def _build_read_text(self) -> str:
        """Return the script in the person's language, with the address masked."""
        spoken = self.with_context(lang=self.read_lang or self.env.lang)
        days = self.env["spar.mapper.local"]._get_objection_days()
        return spoken.env["spar.read.script"]._get_text(
            self.operation or "",
            address=spoken._get_masked_address() or "…",
            effect=spoken._describe(spoken._assess_now()),
            days=str(days),
        )

    def _get_masked_address(self) -> str:
        """Return the address that the form is about, masked; "" if it is incomplete."""
        if self.operation not in ("link", "update"):
            return self.mapping_id.fa_masked or ""
        try:
            address = self._build_address()
        except UserError:
            return ""
        return "".join(self.env["spar.masked.words"]._write_addresses([address]))

    def action_print_form(self):
        """Print the form that the person signs, or marks with a thumb print."""
        self.ensure_one()
        if not self._get_masked_address():
            raise UserError(
                self.env._("Enter the address first: the form says where money goes.")
            )
        receipts = self.env["report.spar_mapper.receipt"]
        return receipts._print("spar_mapper.spar_read_form_report", self.ids)

    # === WITNESSES === #

    def _check_witnessed(self) -> None:
        """Raise UserError if somebody who cannot read has no witness or no document."""
        if not self.cannot_read:
            return
        witnesses = self.witness_ids._read_witnesses()
        if not witnesses:
            raise UserError(
                self.env._(
                    "Witnesses: enter who heard what was read aloud, and how they can "
                    "be found."
                )
            )
        self.env["spar.mapper.local"]._check_witnesses(witnesses)
        if not self.document:
            raise UserError(
                self.env._(
                    "Document: attach the form with the person's signature or thumb "
                    "print. Press Print the form, if you do not have one."
                )
            )

    @api.model
    def _find_collectors(
        self, subject, collectors: list[Party], given: list[Party], compared: Compared
    ) -> list[Party]:
        """Return who of the typed witnesses is a collector, whose details are masked.

        Each is added to ``compared``.
        """
        if not collectors:
            return []
        found = [witness for witness in given if find_part(witness, collectors)]
        for witness in given:
            typed = " ".join((subject.uuid, witness.name, *witness.numbers))
            places = [FoundPlace(0, subject.id)] if witness in found else []
            compared.append(("representative", typed, places))
        return found

    def _check_separate(self, subject, compared: Compared) -> None:
        """Raise TakesPart or UserError if somebody would take part twice.

        :param subject: the person, if there is a record of them already
        :param compared: gets what is compared, which counts unless the form is saved
        """
        parties = self.env["spar.case.parties"]
        known = parties._list_of_person(subject)
        parties._check(f"user:{self.env.uid}", known)
        given = list(map(build_witness_party, self.witness_ids._read_witnesses()))
        filler = self.is_on_paper and self.paper_by_id
        if filler and find_part(parties._get_party(filler), [*known, *given]):
            raise UserError(
                self.env._(
                    "Filled in by: this member of staff is named as a witness, a "
                    "guardian or a collector. Somebody else must fill in a form."
                )
            )
        collectors = [each for each in known if each.part == COLLECTOR]
        if self._find_collectors(subject, collectors, given, compared):
            raise UserError(
                self.env._(
                    "Witnesses: one of them is a guardian or a collector of this "
                    "person. Enter somebody else."
                )
            )

    def _explain_reading(self, reason: str) -> str:
        """Return ``reason``, which says as well that the change was read aloud."""
        if not self.cannot_read:
            return reason
        return self.env._(
            "%(reason)s. Read aloud to the person, who cannot read, before a witness",
            reason=reason.rstrip("."),
        )

    def _store_witnesses(self, call: CallContext, identifier: str) -> None:
        """Store who heard what was read, with the change's document."""
        subject = self._find_changed(identifier)[:1].subject_id
        if self.cannot_read and subject:
            self.env["spar.witness"]._store(
                call, subject, HEARD, self.uuid, self.witness_ids._read_witnesses()
            )

    def _erase_typed(self) -> None:
        self.witness_ids._write_sealed(None)
        return super()._erase_typed()

    # === NO ID CARD === #

    def _register_without_id(self, call: CallContext, request) -> Result:
        """Register somebody without an ID card by the request that was built."""
        return self.env["spar.mapper.local"]._register_provisional(
            call, request, self.why_no_id or "", self.witness_ids._read_witnesses()
        )
