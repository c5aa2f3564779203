from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..expressions import refuse_expressions
from .spar_setting_change import to_kept

#: In the context of a write that was approved. An object and no value: what comes over
#: RPC can never be it.
APPROVED = object()
_CONTEXT_KEY = "spar_second_person"

_MANY = ("many2many", "one2many")
#: Commands that do more than choose among records.
_EDITING = (Command.CREATE, Command.UPDATE, Command.DELETE)


class _Rehearsed(Exception):
    """Ends a rehearsal: what was tried is undone."""


class SparSecondPerson(models.AbstractModel):
    """A record some of whose fields are changed by two people only.

    A model names those fields, and in ``_is_guarded`` says of which records: a change
    of such a field by ``write`` is kept as a ``spar.setting.change`` and takes effect
    when a second administrator approves it. Everything else is written at once. Code
    that runs as superuser is no person and is not stopped, unless it is an expression.
    """

    _name = "spar.second.person"
    _description = "Record whose settings are changed by two people"

    #: Fields whose change waits.
    _guarded_fields: tuple[str, ...] = ()
    #: Those of them whose value takes effect as soon as a record is made: it is made
    #: without them, and they wait.
    _guarded_at_creation: tuple[str, ...] = ()
    #: Those of them whose value is never shown: secrets, written through an inverse.
    _guarded_secrets: tuple[str, ...] = ()

    setting_change_ids = fields.One2many(
        "spar.setting.change",
        "res_id",
        string="Changes that wait for a second person",
        domain=lambda self: [("res_model", "=", self._name), ("state", "=", "waiting")],
        readonly=True,
        copy=False,
        groups="spar_fa_directory.group_administrator,spar_fa_directory.group_auditor",
    )

    is_overtaken = fields.Boolean(
        compute="_compute_is_overtaken",
        groups="spar_fa_directory.group_administrator,spar_fa_directory.group_auditor",
        help="What was proposed last was called off: the record was changed after it.",
    )

    @api.depends("setting_change_ids")
    def _compute_is_overtaken(self) -> None:
        """Whether the newest change of each record was overtaken, so that who proposed
        it has to do so again."""
        newest = self.env["spar.setting.change"]._read_group(
            [("res_model", "=", self._name), ("res_id", "in", self.ids)],
            ["res_id"],
            ["id:max"],
        )
        changes = self.env["spar.setting.change"].browse(last for _id, last in newest)
        overtaken = changes.filtered(lambda change: change.state == "stale")
        for record in self:
            record.is_overtaken = record.id in overtaken.mapped("res_id")

    def _is_guarded(self, name: str, value) -> bool:
        """Whether giving this record that value of a guarded field waits."""
        return True

    @api.model_create_multi
    def create(self, vals_list):
        refuse_expressions()
        if self.env.su:
            return super().create(vals_list)
        now, later = [], []
        for vals in vals_list:
            names = [name for name in self._guarded_at_creation if vals.get(name)]
            later.append({name: vals[name] for name in names})
            now.append({k: v for k, v in vals.items() if k not in names})
        records = super().create(now)
        for record, values in zip(records, later, strict=True):
            record.write(values)
        return records

    def write(self, vals):
        refuse_expressions()
        if self._may_write_at_once() or not set(vals) & set(self._guarded_fields):
            return super().write(vals)
        vals = {name: self._to_choice(name, value) for name, value in vals.items()}
        for record in self:
            now, waiting = record._split(vals)
            super(SparSecondPerson, record).write(now)
            if now.keys() & set(self._guarded_fields):
                # What waited was about another state of the record than this one.
                record.sudo().setting_change_ids._overtake()
            record._propose(waiting)
        return True

    def unlink(self):
        refuse_expressions()
        return super().unlink()

    def _may_write_at_once(self) -> bool:
        """Whether this is code, or just what two people want of this very record:
        what is written beside it, through its fields, waits for its own approval."""
        return self.env.su or self.env.context.get(_CONTEXT_KEY) == self._get_mark()

    def _get_mark(self) -> tuple:
        """What the context of an approved write of these records holds."""
        return (APPROVED, self._name, *self.ids)

    def _to_choice(self, name: str, value):
        """``value`` of a guarded field with many records: only which ones they are.

        What would make, edit or delete one of them is refused: nobody who approves the
        choice sees it. Raises UserError.
        """
        field = self._fields[name]
        if name not in self._guarded_fields or field.type not in _MANY:
            return value
        if any(command[0] in _EDITING for command in value or ()):
            raise UserError(
                self.env._(
                    "%(field)s: choose records that exist; change them by themselves.",
                    field=field._description_string(self.env),
                )
            )
        return [Command.set(self._get_chosen(name, value).ids)]

    def _get_chosen(self, name: str, value):
        """What ``value`` of a write leaves in a field, as reading it would give it."""
        field = self._fields[name]
        return field.convert_to_record(field.convert_to_cache(value, self), self)

    # === PROPOSING === #

    def _split(self, vals: dict) -> tuple[dict, dict]:
        """What of ``vals`` is written now, and what waits; what is so already is left
        out."""
        changed = self._get_changed(vals)
        waiting = {k: v for k, v in changed.items() if self._is_guarded(k, v)}
        now = {
            name: value
            for name, value in vals.items()
            if name not in self._guarded_fields or name in changed.keys() - waiting
        }
        return now, waiting

    def _get_changed(self, vals: dict) -> dict:
        """Those guarded values of ``vals`` that are not what the record has already."""
        return {
            name: value
            for name, value in vals.items()
            if name in self._guarded_fields and self._is_other(name, value)
        }

    def _is_other(self, name: str, value) -> bool:
        if name in self._guarded_secrets:
            return bool(value)
        return self._get_chosen(name, value) != self[name]

    def _propose(self, values: dict):
        """Keep ``values`` until somebody else approves them; gives the change.

        They are tried first: what cannot be written is refused to who proposes it.
        """
        self.ensure_one()
        if not values:
            return self.env["spar.setting.change"]
        self.check_access("write")
        self._rehearse(values)
        changes_sudo = self.env["spar.setting.change"].sudo()
        return changes_sudo._keep(self, values, self.env.user)

    def _rehearse(self, values: dict) -> None:
        """Write ``values`` and undo it; raises what writing them raises."""
        try:
            with self.env.cr.savepoint():
                self._write_approved(values)
                self.env.flush_all()
                raise _Rehearsed()
        except _Rehearsed:
            self.env.invalidate_all()

    def _write_approved(self, values: dict) -> None:
        """Write what two people want."""
        self.with_context(**{_CONTEXT_KEY: self._get_mark()}).write(values)

    # === WHAT IT IS AND WAS === #

    def _get_snapshot(self, names: list[str]) -> dict:
        """The present values of ``names`` as they can be kept; secrets are left out."""
        return {
            name: to_kept(self._fields[name].convert_to_write(self[name], self))
            for name in names
            if name not in self._guarded_secrets
        }

    def _describe_value(self, name: str, value) -> str:
        """``value`` of a field, as people read it."""
        field = self._fields[name]
        if name in self._guarded_secrets:
            return self.env._("(not shown)")
        if field.type == "boolean":
            return self.env._("yes") if value else self.env._("no")
        if field.type == "selection":
            labels = dict(field._description_selection(self.env))
            return str(labels.get(value, value or "–"))
        if field.relational:
            return self._describe_records(name, value)
        return str(value) if value not in (False, None, "") else "–"

    def _describe_records(self, name: str, value) -> str:
        found = self._get_chosen(name, value)
        return ", ".join(found.exists().mapped("display_name")) or "–"

    def _describe_effect(self, values: dict) -> list[str]:
        """What else who approves ``values`` has to know, one line each."""
        return []
