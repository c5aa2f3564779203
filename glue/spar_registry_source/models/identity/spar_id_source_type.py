from odoo import api, fields, models

#: With up to so many rows, a type is indexed at once.
AT_ONCE = 2000


class SparIdSourceType(models.AbstractModel):
    """A type of IDs in another registry, and the ID type that it is for SPAR.

    Another registry's types have a name and perhaps a pattern; how an ID is written for
    a mapper, and which one is asked, is known of our own types.
    """

    _name = "spar.id.source.type"
    _description = "Type of IDs in another registry"

    spar_id_type_id = fields.Many2one(
        "spar.id.type",
        string="SPAR ID type",
        ondelete="restrict",
        copy=False,
        groups="spar_fa_directory.group_administrator",
        help="IDs of this type are used for financial addresses, as IDs of the type "
        "that you choose. Leave empty if they are not.",
    )
    spar_is_indexed = fields.Boolean(
        string="Indexed",
        readonly=True,
        copy=False,
        groups="spar_fa_directory.group_administrator",
        help="IDs of this type count once they can be found. With many IDs, that takes "
        "some minutes.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        types = super().create(vals_list)
        mapped_sudo = types.sudo().filtered("spar_id_type_id")
        if mapped_sudo:
            mapped_sudo._spar_begin()
        return types

    def write(self, vals):
        """Write; the ID type is ours: no rule of the registry for its types applies.

        OpenSPP protects the types that it ships from every change.
        """
        theirs = {name: vals[name] for name in vals if name != "spar_id_type_id"}
        if len(theirs) == len(vals):
            return super().write(vals)
        ours = {"spar_id_type_id": vals["spar_id_type_id"]}
        models.BaseModel.write(self, ours)
        self.sudo()._spar_begin()
        return super().write(theirs) if theirs else True

    @api.model
    def _spar_get_sources(self) -> list[models.BaseModel]:
        """Return the tables whose IDs have such types."""
        return [
            source
            for source in self.env["spar.source.index"]._get_sources()
            if source._spar_get_types()._name == self._name
        ]

    def _spar_begin(self) -> None:
        """Index the IDs of these types: at once if they are few."""
        self._spar_store_indexed(False)
        for source in self._spar_get_sources():
            rows_sudo = source.sudo().search(
                [(source._spar_type_field, "in", self.ids)], limit=AT_ONCE + 1
            )
            if len(rows_sudo) > AT_ONCE or not self._spar_index_now(source, rows_sudo):
                self.env["spar.source.index"]._request(source)

    def _spar_index_now(self, source, rows) -> bool:
        """Index these rows, all of these types; return False without keys."""
        if not self.env["spar.source.identity"]._try_update(source, rows.ids):
            return False
        self.filtered("spar_id_type_id")._spar_store_indexed(True)
        return True

    def _spar_set_indexed(self) -> None:
        """Let every type with an ID type of SPAR count: all its IDs are indexed."""
        types_sudo = self.sudo().with_context(active_test=False)
        mapped = types_sudo.search(
            [("spar_id_type_id", "!=", False), ("spar_is_indexed", "=", False)]
        )
        mapped._spar_store_indexed(True)

    def _spar_store_indexed(self, value: bool) -> None:
        """Store a field of ours, past the rules of the registry for its own."""
        models.BaseModel.write(self.sudo(), {"spar_is_indexed": value})
