from odoo import models


class SparChangeListener(models.AbstractModel):
    """A model that is notified when pending changes have ended."""

    _name = "spar.change.listener"
    _description = "Listener to changes that end"

    def _on_changes_ended(self, change_ids: list[int]) -> None:
        """React to changes that were applied, refused, cancelled, overtaken or expired.

        It is called in the transaction in which they end, after they were written; an
        exception raised here undoes it.

        :param change_ids: rows of ``spar.change``
        """
        raise NotImplementedError
