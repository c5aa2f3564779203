import logging
from collections.abc import Iterable

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.expressions import is_called_from_expression
from odoo.addons.spar_registry.lib.identity import RegistryIdentity

_logger = logging.getLogger(__name__)


class SparIdSource(models.AbstractModel):
    """A table of another registry that holds people's IDs, in clear.

    Nothing is copied from it but keyed digests, by which a person is found however the
    ID is spelt. What a person's IDs are is read from the rows themselves.
    """

    _name = "spar.id.source"
    _description = "IDs of another registry"

    #: The names of its fields.
    _spar_partner_field = "partner_id"
    _spar_type_field = "id_type"
    _spar_value_field = "value"
    _spar_status_field = "status"
    _spar_expiry_field = "expiry_date"
    #: The status of a row that does not count; an empty one does.
    _spar_invalid = "invalid"

    def _spar_is_verified(self) -> bool:
        """Return whether somebody compared the ID with the document."""
        return False

    # === THE INDEX === #

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._spar_index()
        return rows

    def write(self, vals):
        if not vals.keys() & set(self._spar_get_indexed_fields()):
            return super().write(vals)
        before = self._spar_observe()
        result = super().write(vals)
        self._spar_index()
        after = self._spar_observe()
        self._spar_notice(
            one
            for row_id, one in before.items()
            if not _is_same(one, after.get(row_id))
        )
        return result

    def unlink(self):
        row_ids, before = self.ids, self._spar_observe()
        result = super().unlink()
        self.env["spar.source.identity"]._drop(self, row_ids)
        self._spar_notice(before.values())
        return result

    def _spar_observe(self) -> dict[int, RegistryIdentity]:
        """Return these IDs by row id; nothing without keys, or for an expression."""
        if is_called_from_expression():
            return {}
        try:
            return {
                one.row_id: one for one in self._spar_read([("id", "in", self.ids)])
            }
        except ServiceUnavailable:
            return {}

    @api.model
    def _spar_notice(self, identities: Iterable[RegistryIdentity]) -> None:
        """Open tasks about IDs that are no longer used: nothing is moved by itself."""
        events = self.env["spar.life.events"]
        try:
            for identity in identities:
                events._notice_identity(identity, "identity_replaced")
        except ServiceUnavailable as error:
            _logger.warning("no task about a replaced ID: %s", error.code)

    @api.model
    def _spar_get_indexed_fields(self) -> list[str]:
        return [
            self._spar_partner_field,
            self._spar_type_field,
            self._spar_value_field,
            self._spar_status_field,
        ]

    def _spar_index(self) -> None:
        """Index these rows; without keys they are indexed later."""
        self.flush_recordset(self._spar_get_indexed_fields())
        identities = self.env["spar.source.identity"]
        if not identities._try_update(self.browse(), self.ids):
            # Nobody is found by what was there before.
            identities._drop(self, self.ids)
            self.env["spar.source.index"]._request(self.browse())

    @api.model
    def _spar_get_types(self):
        """Return the model of the types of these IDs."""
        return self.env[self._fields[self._spar_type_field].comodel_name]

    @api.model
    def _spar_fetch(self, row_ids: list[int]) -> list[tuple]:
        """Return row id, person, ID type and clear ID of rows.

        The type is empty for a row that does not count.
        """
        types = self._spar_get_types()
        types.flush_model(["spar_id_type_id"])
        query = SQL(
            """SELECT r.id, r.%(partner)s,
                      CASE WHEN r.%(status)s IS DISTINCT FROM %(invalid)s
                           THEN t.spar_id_type_id END,
                      r.%(value)s
                 FROM %(table)s r JOIN %(types)s t ON t.id = r.%(type)s
                WHERE r.id = ANY(%(ids)s)""",
            partner=SQL.identifier(self._spar_partner_field),
            status=SQL.identifier(self._spar_status_field),
            invalid=self._spar_invalid,
            value=SQL.identifier(self._spar_value_field),
            table=SQL.identifier(self._table),
            types=SQL.identifier(types._table),
            type=SQL.identifier(self._spar_type_field),
            ids=row_ids,
        )
        return self.env.execute_query(query)

    # === READING === #

    @api.model
    def _spar_open(self, people) -> list[RegistryIdentity]:
        """Return the IDs of those people whom the user may read.

        Types without an index are left out: nobody could tell who else has their IDs.
        """
        seen = people._filtered_access("read")
        return self._spar_read([(self._spar_partner_field, "in", seen.ids)])

    @api.model
    def _spar_read(self, domain: list) -> list[RegistryIdentity]:
        """Return the IDs that count in rows of a domain, whoever may read them."""
        domain = [
            *domain,
            (self._spar_status_field, "!=", self._spar_invalid),
            (self._spar_value_field, "!=", False),
            (f"{self._spar_type_field}.spar_is_indexed", "=", True),
        ]
        names = [
            self._spar_partner_field,
            self._spar_type_field,
            self._spar_value_field,
            self._spar_expiry_field,
        ]
        rows_sudo = self.sudo().search_fetch(domain, names, order="id")
        canonicalise = self.env["spar.source.identity"]._build_reader()
        today = fields.Date.context_today(self)
        found = []
        for row_sudo in rows_sudo:
            type_id = row_sudo[self._spar_type_field].spar_id_type_id.id
            canonical = canonicalise(type_id, row_sudo[self._spar_value_field])
            if canonical:
                expires_on = row_sudo[self._spar_expiry_field]
                found.append(
                    RegistryIdentity(
                        row_id=row_sudo.id,
                        partner_id=row_sudo[self._spar_partner_field].id,
                        type_id=type_id,
                        id_value=canonical,
                        is_verified=row_sudo._spar_is_verified(),
                        is_expired=bool(expires_on and expires_on < today),
                    )
                )
        return found


def _is_same(before: RegistryIdentity, after: RegistryIdentity | None) -> bool:
    """Return whether a row still has the same ID of the same person."""
    if after is None:
        return False
    return (before.partner_id, before.type_id, before.id_value) == (
        after.partner_id,
        after.type_id,
        after.id_value,
    )
