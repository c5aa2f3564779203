from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.spar_fa_directory.lib.fa_reader import Address

from ...lib.g2p_connect import openg2p_2


class SparOpeng2pAddresses(models.AbstractModel):
    """The addresses of OpenG2P 2.x: objects of parts on the wire, texts elsewhere."""

    _name = "spar.openg2p.addresses"
    _description = "Addresses of OpenG2P 2.x"

    # === PARTS TO TEXT === #

    @api.model
    def _write_texts(self, items: list) -> None:
        """Replace each address in parts by its text.

        An address that no strategy can write becomes empty.
        """
        for item in items:
            if isinstance(item, dict) and isinstance(item.get("fa"), dict):
                numbers, parts = openg2p_2.read_parts(item["fa"])
                texts = (self._write_text(number, parts) for number in numbers)
                item["fa"] = next(filter(None, texts), "")

    @api.model
    def _write_text(self, number: int, parts: dict[str, str]) -> str | None:
        strategies = self.env["spar.fa.strategy"]
        try:
            type_id = strategies._get_by_number(number).type_id.id
        except UserError:
            return None
        address = Address("", number, type_id=type_id, parts=parts)
        return strategies._write_addresses([address], number)[0]

    # === TEXT TO PARTS === #

    @api.model
    def _write_objects(self, items: list[dict]) -> None:
        """Replace each address by the object of its parts, empty if there is none."""
        addressed = [item for item in items if "fa" in item]
        texts = [item["fa"] for item in addressed]
        for item, parts in zip(addressed, self._read_objects(texts), strict=True):
            item["fa"] = parts

    @api.model
    def _read_objects(self, texts: list[str]) -> list[dict]:
        """Return the object for each address, in the same order; empty for none."""
        addresses = self.env["spar.fa.strategy"]._read_addresses(texts)
        return [self._build_object(address) for address in addresses]

    @api.model
    def _build_object(self, address: Address) -> dict:
        """Return the parts of an address, with the names that the directory has."""
        if address.strategy_number is None:
            return {}
        strategies = self.env["spar.fa.strategy"]
        strategy_sudo = strategies._get_by_number(address.strategy_number)
        (directory_parts,) = strategy_sudo._get_directory_parts([address])
        parts = directory_parts | address.parts
        return openg2p_2.write_parts(address.strategy_number, address.type_code, parts)
