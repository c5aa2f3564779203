from hmac import compare_digest

from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.lib.pages.lines import AddressLine

from ..lib.digits import MAX_WRONG, MarkedText, mark, read

#: The purpose under which the digits of a page are derived.
DIGITS = "confirmation digits"


class SparConfirmationDigits(models.AbstractModel):
    """Digits that stand inside what the page asks about, and that the person types.

    A window that stays on top can cover the page but for what is to be pressed. Nobody
    types the right digits without that part of the page in sight, and no portal can
    name them: they follow from our keys, the page, the browser and the number of wrong
    answers. They are stored nowhere.
    """

    _name = "spar.confirmation.digits"
    _description = "Digits that confirm a change"

    @api.model
    def _show(self, confirmation, browser: str) -> dict:
        """Return what the page shows and says of the digits, to this browser."""
        line = self._get_line(confirmation)
        marked = self._mark(confirmation, browser, line.text)
        texts = self.env["spar.confirmation.texts"]
        return {
            "marked_line": line,
            "marked": marked,
            "heard": texts._say_digits(marked.digits),
        }

    @api.model
    def _get_line(self, confirmation) -> AddressLine:
        texts = self.env["spar.confirmation.texts"]
        return texts._get_marked_line(confirmation._get_content().proposal.request)

    @api.model
    def _mark(self, confirmation, browser: str, text: str) -> MarkedText:
        """Return the text of the line, with the digits that this browser sees."""
        content = confirmation._get_content()
        keyring = self.env["spar.keyring"]._open()
        seed = bytes(keyring.mac(DIGITS, bind(content.token, browser)))
        return mark(text, seed, confirmation.wrong_answers)

    @api.model
    def _accept(self, confirmation, browser: str, typed: str) -> bool:
        """Return whether these are the digits; count an answer that is wrong.

        The proposal is locked since its page was opened, so that answers that arrive
        together are counted one after another.
        """
        line = self._get_line(confirmation)
        expected = self._mark(confirmation, browser, line.text).digits
        if compare_digest(read(typed), expected):
            return True
        confirmation.wrong_answers += 1
        if confirmation.wrong_answers >= MAX_WRONG:
            confirmation._cancel()
        return False
