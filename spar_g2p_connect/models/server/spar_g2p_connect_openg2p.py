from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.spar_fa_directory.lib.fa_reader import Address
from odoo.addons.spar_mapper_connector.lib.g2p_connect import openg2p_2


class SparG2pConnectOpeng2p(models.AbstractModel):
    """Support for OpenG2P 2.x: its envelope and its addresses in parts.

    Both are converted at the edge: everything behind it handles G2P Connect only.
    """

    _name = "spar.g2p.connect.openg2p"
    _description = "Messages of OpenG2P 2.x"

    # === PARTS TO TEXT === #

    @api.model
    def _read_message(self, action: str, document: dict) -> dict:
        """Return the same message in the envelope of G2P Connect.

        Its addresses are texts. Raises MalformedMessage.
        """
        inner = openg2p_2.from_wire(document, action)
        items = inner["message"][f"{action}_request"]
        openg2p_2.check_addresses(items, action)
        self._write_fa_objects(items)
        return inner

    @api.model
    def _write_fa_objects(self, items: list) -> None:
        """Replace each address in parts by its text.

        An address that no strategy can write becomes empty: the item is then refused.
        """
        for item in items:
            if isinstance(item, dict) and isinstance(item.get("fa"), dict):
                numbers, parts = openg2p_2.read_parts(item["fa"])
                texts = (self._write_fa(number, parts) for number in numbers)
                item["fa"] = next(filter(None, texts), "")

    @api.model
    def _write_fa(self, number: int, parts: dict[str, str]) -> str | None:
        strategies = self.env["spar.fa.strategy"]
        try:
            type_id = strategies._get_by_number(number).type_id.id
        except UserError:
            return None
        address = Address("", number, type_id=type_id, parts=parts)
        return strategies._write_addresses([address], number)[0]

    # === TEXT TO PARTS === #

    @api.model
    def _write_answer(self, action: str, inner: dict, answer: dict) -> dict:
        """Return ``answer`` to the message ``inner`` in the envelope of OpenG2P 2.x.

        Its addresses are objects of parts.
        """
        if action == "resolve":
            self._read_fa_texts(answer)
        return openg2p_2.to_wire(inner["header"]["message_id"], answer, action)

    @api.model
    def _read_fa_texts(self, answer: dict) -> None:
        """Replace each address of an answer by the object of its parts."""
        message = answer.get("message") or {}
        items = [i for i in message.get("resolve_response", ()) if "fa" in i]
        strategies = self.env["spar.fa.strategy"]
        addresses = strategies._read_addresses([item["fa"] for item in items])
        for item, address in zip(items, addresses, strict=True):
            item["fa"] = self._build_fa_object(address)

    @api.model
    def _build_fa_object(self, address: Address) -> dict:
        """Return the parts of an address, with the names that the directory has."""
        if address.strategy_number is None:
            return {}
        strategies = self.env["spar.fa.strategy"]
        strategy_sudo = strategies._get_by_number(address.strategy_number)
        (directory_parts,) = strategy_sudo._get_directory_parts([address])
        parts = directory_parts | address.parts
        return openg2p_2.write_parts(address.strategy_number, address.type_code, parts)
