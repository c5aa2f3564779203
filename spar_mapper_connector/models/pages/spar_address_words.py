from odoo import api, models

from odoo.addons.spar_fa_directory.lib.fa_mask import DOT, looks_like_code, mask
from odoo.addons.spar_fa_directory.lib.fa_reader import Address

from ...lib.contract import MaskedFa
from ...lib.pages.lines import AddressLine, in_groups


class SparAddressWords(models.AbstractModel):
    """A financial address as people read it, line by line."""

    _name = "spar.address.words"
    _description = "Financial address in words"

    @api.model
    def _describe(self, text: str, whole: bool = False) -> list[AddressLine]:
        """Return the lines of an address, in the reader's language.

        They are masked, unless the reader has just typed it (``whole``). An address
        that no strategy reads is one line, masked. One that came masked is read as any
        other: its kind, provider and branch are not hidden, and masking what is masked
        changes nothing.
        """
        strategies = self.env["spar.fa.strategy"]
        (address,) = strategies._read_addresses([text])
        if address.type_id is None:
            is_masked = isinstance(text, MaskedFa)
            (masked,) = [text] if is_masked else strategies._mask_addresses([text])
            return [self._build_masked(masked)]
        fa_type_sudo = self.env["spar.fa.type"].sudo().browse(address.type_id)
        kind = AddressLine(self.env._("Kind"), fa_type_sudo.name)
        parts = fa_type_sudo.part_ids.sorted("sequence")
        return [
            kind,
            *(
                self._describe_part(part, address, whole)
                for part in parts
                # A bank without branches has no line for one.
                if part.kind != "branch" or address.parts.get(part.key) != ""
            ),
        ]

    @api.model
    def _build_masked(self, masked: str) -> AddressLine:
        """Return the one line of an address that is known in masked form only."""
        label, heard = self.env._("Account"), self.env._("hidden")
        return AddressLine(label, masked, heard, is_number=True, is_masked=True)

    @api.model
    def _describe_part(self, part, address: Address, whole: bool) -> AddressLine:
        value = (address.parts or {}).get(part.key, "")
        if part.kind == "text":
            return self._build_number(part.label, value, whole)
        record_sudo = self._browse_place(part, address)
        if record_sudo:
            return AddressLine(part.label, record_sudo.name)
        shown = value if whole or looks_like_code(value) else mask(value)
        return AddressLine(part.label, shown or "–", is_number=True)

    @api.model
    def _browse_place(self, part, address: Address):
        models_by_kind = {
            "provider": ("spar.fsp", address.provider_id),
            "branch": ("spar.fsp.branch", address.branch_id),
        }
        model, row_id = models_by_kind[part.kind]
        return self.env[model].sudo().browse(row_id or ())

    @api.model
    def _build_number(self, label: str, value: str, whole: bool) -> AddressLine:
        if whole:
            return AddressLine(label, in_groups(value), is_number=True)
        masked = mask(value)
        ending = masked.lstrip(DOT)
        heard = self.env._("ends in %(digits)s", digits=" ".join(ending))
        if not ending:
            heard = self.env._("hidden")
        return AddressLine(label, masked, heard, is_number=True, is_masked=True)
