from odoo import api, models

from ...lib.fa_mask import looks_like_code
from ...lib.fa_reader import Address, mask_reading, to_address
from ...lib.fa_words import Wording, write_masked


class SparMaskedWords(models.AbstractModel):
    """Masked values as people read them, in the user's language.

    Programs get the form in which they travel, from ``_mask_addresses``.
    """

    _name = "spar.masked.words"
    _description = "Masked values in words"

    @api.model
    def _get_wording(self) -> Wording:
        return Wording(
            self.env._("%(kind)s %(values)s"),
            self.env._("%(kind)s %(values)s at %(provider)s"),
            self.env._("%(kind)s %(values)s at %(provider)s, %(branch)s"),
        )

    @api.model
    def _write_addresses(self, texts: list[str]) -> list[str]:
        """Return masked addresses in words, in the same order.

        An address of an unknown kind, or at an unknown provider, stays in the form in
        which it travels, masked. It requires no access rights.
        """
        chosen, found = self.env["spar.fa.strategy"]._choose_readings(texts)
        pairs = list(zip(texts, chosen, strict=True))
        addresses = [to_address(text, reading, found) for text, reading in pairs]
        masks = [mask_reading(text, reading, found) for text, reading in pairs]
        kinds, names = self._find_kinds(addresses), self._find_names(addresses)
        return [
            self._write_address(address, kinds.get(address.type_id), names) or mask
            for address, mask in zip(addresses, masks, strict=True)
        ]

    @api.model
    def _find_kinds(self, addresses: list[Address]) -> dict:
        """Return the kinds of addresses by row id."""
        type_ids = {each.type_id for each in addresses if each.type_id}
        types_sudo = self.env["spar.fa.type"].sudo().browse(type_ids)
        return {fa_type_sudo.id: fa_type_sudo for fa_type_sudo in types_sudo}

    @api.model
    def _find_names(self, addresses: list[Address]) -> dict:
        """Return the names of providers and branches, each by model and row id."""
        return {
            (model, row_sudo.id): row_sudo.name or ""
            for model, row_ids in (
                ("spar.fsp", {each.provider_id for each in addresses}),
                ("spar.fsp.branch", {each.branch_id for each in addresses}),
            )
            for row_sudo in self.env[model].sudo().browse(row_ids - {None})
        }

    @api.model
    def _write_address(self, address: Address, kind_sudo, names: dict) -> str:
        """Return one address in words; "" if its kind or its provider is unknown."""
        provider = names.get(("spar.fsp", address.provider_id), "")
        parts = kind_sudo.part_ids.sorted("sequence") if kind_sudo else []
        keys = {part.key: part.kind for part in parts if address.parts.get(part.key)}
        values = [address.parts[key] for key, kind in keys.items() if kind == "text"]
        if not values or (not provider and "provider" in [part.kind for part in parts]):
            return ""
        # A branch that is not in the directory is shown by its code, as by the mask.
        codes = [address.parts[key] for key, kind in keys.items() if kind == "branch"]
        code = next(filter(looks_like_code, codes), "")
        branch = names.get(("spar.fsp.branch", address.branch_id), code)
        return write_masked(
            self._get_wording(), kind_sudo.name, values, provider, branch
        )
