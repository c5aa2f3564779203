from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.models.spar_group_log import CODE_GROUPS

from ...expressions import is_at_run_time

_RIGHTS = ("perm_write", "perm_create", "perm_unlink")
#: Who may write these makes accounts, sets passwords or gives rights.
_DECIDING = (
    "ir.model.access",
    "ir.rule",
    "res.groups",
    "res.users",
)


class IrModelAccess(models.Model):
    _name = "ir.model.access"
    _inherit = ["ir.model.access", "spar.sealed.customising"]
    _sealed_fields = (
        "model_id",
        "group_id",
        "active",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )

    @api.constrains(
        "model_id",
        "group_id",
        "active",
        "name",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )
    def _check_not_ours(self):
        """Raise ValidationError for a right on a model of ours, the directory too.

        Who may write providers exchanges the bank that an officer chooses by its name.
        """
        names = self._get_closed_models()
        self._check_closed_models(names)
        if is_at_run_time(self.env) and any(map(_is_ours, names)):
            raise ValidationError(
                self.env._(
                    "You cannot give rights on %(model)s here: the roles of SPAR have "
                    "them. Assign a role on the user's form.",
                    model=self.model_id[:1].name,
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        rights = super().create(vals_list)
        rights._check_not_nobodys()
        return rights

    def write(self, vals):
        if "model_id" in vals:
            # A right of ours that is moved to another model is gone here.
            self._check_not_ours()
        had = self if "model_id" not in vals else self.browse()
        had = had.filtered(lambda right: right._gives_more_than_reading())
        result = super().write(vals)
        (self - had)._check_not_nobodys()
        return result

    def _check_not_nobodys(self) -> None:
        """Raise ValidationError for rights on a model that no addon lets anybody write.

        Odoo alone does, as superuser: what browsers of staff are sent, attempts at
        codes, trusted devices. Models of an administrator's own are free.
        """
        if not is_at_run_time(self.env):
            return
        for right in self:
            if not right._gives_more_than_reading():
                continue
            right._check_not_deciding()
            if right._is_on_nobodys():
                raise ValidationError(
                    self.env._(
                        "You cannot give rights on %(model)s because no app gives them "
                        "to anybody: only Odoo itself changes these records.",
                        model=right.model_id.name,
                    )
                )

    @api.model
    def _find_foreign_code(self) -> list[int]:
        """Return the ids of rights on models of ours that no addon brought."""
        query = SQL(
            """SELECT a.id FROM ir_model_access a JOIN ir_model m ON m.id = a.model_id
                WHERE left(m.model, 5) = 'spar.' AND NOT EXISTS (
                      SELECT FROM ir_model_data d
                       WHERE d.model = %s AND d.res_id = a.id)
                ORDER BY 1""",
            self._name,
        )
        return [right_id for (right_id,) in self.env.execute_query(query)]

    def _check_not_deciding(self) -> None:
        """Raise ValidationError for a right with which others could set passwords.

        The groups of Odoo that have it are watched; one of somebody's own is not.
        """
        watched = {self.env.ref(name, raise_if_not_found=False) for name in CODE_GROUPS}
        if self.model_id.model in _DECIDING and self.group_id not in watched:
            raise ValidationError(
                self.env._(
                    "You cannot give rights on %(model)s here: they make accounts, or "
                    "decide what these may do. Assign the group Access Rights on the "
                    "user's form, where a SPAR administrator approves it.",
                    model=self.model_id.name,
                )
            )

    def _gives_more_than_reading(self) -> bool:
        return any(self[name] for name in _RIGHTS)

    def _is_on_nobodys(self) -> bool:
        """Return whether nobody has more than the right to read, but for this one."""
        if self.model_id.state == "manual":
            return False
        others_sudo = self.sudo().with_context(active_test=False)
        same = Domain("model_id", "=", self.model_id.id) & Domain("id", "!=", self.id)
        given = Domain.OR(Domain(name, "=", True) for name in _RIGHTS)
        return not others_sudo.search_count(same & given, limit=1)


def _is_ours(name: str) -> bool:
    return name.startswith("spar.")
