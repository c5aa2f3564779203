from odoo import fields, models

from ..lib import seals


class SparMappingWizard(models.TransientModel):
    """The question to the officer before a new ID that may be mistyped is accepted.

    If an ID type does not specify the format of its IDs, only the officer can judge: a
    name in the place of a number, or a digit too many, would add another person. The
    confirmation is for exactly the text that was shown; what was typed stays.
    """

    _inherit = "spar.mapping.wizard"

    id_look = fields.Char(related="id_type_id.card_look", string="On the card")
    id_doubt = fields.Selection(
        [
            ("letters", "It is not made of digits alone."),
            ("length", "No other ID of this kind is as long or as short."),
        ],
        readonly=True,
        string="Why it may be mistyped",
    )
    is_id_right = fields.Boolean(
        string="The ID is right: I compared it with the document",
        help="Without this the ID is not linked.",
    )
    doubt_digest = fields.Char(readonly=True)

    def _ask_back(self, call, request) -> dict:
        question = super()._ask_back(call, request)
        if question or self.operation != "link" or self.mapping_id:
            return question
        return self._open_question() if self._must_ask(call, request) else {}

    def _must_ask(self, call, request) -> bool:
        """Return whether the ID may be mistyped and the officer has not confirmed it.

        The confirmation counts only for the ID that it was given for.
        """
        doubt = self.env["spar.mapper.local"]._find_doubt(call, request.id_value)
        digest = self._digest_doubt(request.id_value)
        if not doubt or (self.is_id_right and self.doubt_digest == digest):
            return False
        self._count_lookup(request.id_value)
        self.write({"id_doubt": doubt, "doubt_digest": digest, "is_id_right": False})
        return True

    def _digest_doubt(self, typed: str) -> str:
        """Return a digest that identifies this ID in this form and reveals nothing."""
        keyring = self.env["spar.keyring"]._open()
        return keyring.digest(seals.DRAFT, f"{self.uuid} {typed}").hex()

    def _open_question(self) -> dict:
        """Return the action that shows the same form again, with the question."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Link a person"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }
