from odoo import models


class SparChangeListener(models.AbstractModel):
    """A model that wants to know when changes that waited have ended."""

    _name = "spar.change.listener"
    _description = "Listener to changes that end"

    def _on_changes_ended(self, change_ids: list[int]) -> None:
        """React to changes that were applied, refused, cancelled, overtaken or expired.

        Called in the transaction in which they end, after they were written; what is
        raised here undoes it.

        :param change_ids: rows of ``spar.change``
        """
        raise NotImplementedError
