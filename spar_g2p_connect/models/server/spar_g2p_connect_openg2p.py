from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.g2p_connect import openg2p_2


class SparG2pConnectOpeng2p(models.AbstractModel):
    """Support for OpenG2P 2.x: its envelope and its addresses in parts.

    Both are converted at the edge: everything behind it handles G2P Connect only.
    """

    _name = "spar.g2p.connect.openg2p"
    _description = "Messages of OpenG2P 2.x"

    @api.model
    def _read_message(self, action: str, document: dict) -> dict:
        """Return the same message in the envelope of G2P Connect.

        Its addresses are texts; one that no strategy can write becomes empty, so that
        the item is refused. Raises MalformedMessage.
        """
        inner = openg2p_2.from_wire(document, action)
        items = inner["message"][f"{action}_request"]
        openg2p_2.check_addresses(items, action)
        self.env["spar.openg2p.addresses"]._write_texts(items)
        return inner

    @api.model
    def _write_answer(self, action: str, inner: dict, answer: dict) -> dict:
        """Return ``answer`` to the message ``inner`` in the envelope of OpenG2P 2.x.

        Its addresses are objects of parts.
        """
        if action == "resolve":
            message = answer.get("message") or {}
            items = list(message.get("resolve_response", ()))
            self.env["spar.openg2p.addresses"]._write_objects(items)
        return openg2p_2.to_wire(inner["header"]["message_id"], answer, action)
