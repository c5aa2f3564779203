from odoo import api, models

from ..exceptions import DirectWriteRefused


class SparStoreTable(models.AbstractModel):
    """A table of the store: read through the ORM, written only by the mapper.

    There is one way in. Not even the superuser writes past it through the ORM.
    """

    _name = "spar.store.table"
    _description = "Table of the store"

    @api.model_create_multi
    # pylint: disable-next=method-required-super
    def create(self, vals_list):
        raise DirectWriteRefused(self._name)

    # pylint: disable-next=method-required-super
    def write(self, vals):
        raise DirectWriteRefused(self._name)

    @api.ondelete(at_uninstall=True)
    def _unlink_if_never(self):
        raise DirectWriteRefused(self._name)
