import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..expressions import refuse_expressions
from .spar_setting_change import to_kept

#: In the context of a write that was approved. An object rather than a value: nothing
#: that comes over RPC can equal it.
APPROVED = object()
_CONTEXT_KEY = "spar_second_person"


def is_approved(env) -> bool:
    """Return whether ``env`` is that of an approved write."""
    mark = env.context.get(_CONTEXT_KEY)
    return isinstance(mark, tuple) and mark[:1] == (APPROVED,)


_MANY = ("many2many", "one2many")
#: Commands that do more than choose among records.
_EDITING = (Command.CREATE, Command.UPDATE, Command.DELETE)


class _Rehearsed(Exception):
    """The end of a rehearsal: what was tried is undone."""


class SparSecondPerson(models.AbstractModel):
    """A record with fields that only two people change.

    A model lists those fields, and decides in ``_is_guarded`` for which records: a
    change of such a field by ``write`` is stored as a ``spar.setting.change`` and takes
    effect when a second administrator approves it. Everything else is written at once.
    Code that runs as superuser is not a person and is not stopped, unless it is an
    expression.
    """

    _name = "spar.second.person"
    _description = "Record whose settings are changed by two people"

    #: Fields whose change needs approval.
    _guarded_fields: tuple[str, ...] = ()
    #: Those whose value would take effect as soon as a record is created: it is created
    #: without them, and they wait for approval.
    _guarded_at_creation: tuple[str, ...] = ()
    #: Those whose value is never shown: secrets, written through an inverse.
    _guarded_secrets: tuple[str, ...] = ()
    #: The field that puts a record to use, if a new one is not in use before a second
    #: person approves it; a record in use is not deleted either.
    _counts_by = ""
    #: Fields of records that are part of these and are approved with them.
    _guarded_parts: tuple[str, ...] = ()

    setting_change_ids = fields.One2many(
        "spar.setting.change",
        "res_id",
        string="Changes waiting for a second person",
        domain=lambda self: [("res_model", "=", self._name), ("state", "=", "waiting")],
        readonly=True,
        copy=False,
        groups="spar_fa_directory.group_administrator,spar_fa_directory.group_auditor",
    )

    is_overtaken = fields.Boolean(
        string="Overtaken",
        compute="_compute_is_overtaken",
        groups="spar_fa_directory.group_administrator,spar_fa_directory.group_auditor",
        help="The latest proposed change was cancelled because the record was changed "
        "afterwards.",
    )

    @api.depends("setting_change_ids")
    def _compute_is_overtaken(self) -> None:
        """Compute whether the newest change of each record was overtaken.

        Its proposer then has to propose it again.
        """
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
        """Return whether writing this value of a guarded field needs approval."""
        return True

    @api.model
    def _concerns(self, vals: dict) -> bool:
        """Return whether writing ``vals`` concerns two people at all."""
        return True

    def _stops(self, name: str, value) -> bool:
        """Return whether the value only stops the record: that needs no approval."""
        return False

    @api.model_create_multi
    def create(self, vals_list):
        if any(map(self._concerns, vals_list)):
            refuse_expressions()
        if self.env.su:
            return super().create(vals_list)
        self._refuse_code_fields(set().union(*vals_list))
        now, later = [], []
        for vals in map(self._add_defaults, vals_list):
            names = [name for name in self._guarded_at_creation if vals.get(name)]
            later.append({name: vals[name] for name in names})
            now.append(
                {**vals, **{name: self._get_own_default(name) for name in names}}
            )
        if self._counts_by:
            for vals, values in zip(now, later, strict=True):
                if vals.get(self._counts_by, True):
                    values[self._counts_by] = True
                vals[self._counts_by] = False
        # Among the values is now what only an approval changes.
        records = super(SparSecondPerson, self._as_code()).create(now)
        for record, values in zip(records, later, strict=True):
            record.write(values)
        return records.with_env(self.env)

    @api.model
    def _add_defaults(self, vals: dict) -> dict:
        """Add defaults of guarded fields from context and ``ir.default`` to ``vals``.

        Somebody typed them, like the rest.
        """
        given = dict(self.env["ir.default"]._get_model_defaults(self._name))
        for name in self._guarded_fields:
            if f"default_{name}" in self.env.context:
                given[name] = self.env.context[f"default_{name}"]
        names = given.keys() & set(self._guarded_fields)
        return {name: given[name] for name in names} | vals

    @api.model
    def _get_own_default(self, name: str):
        """Return the default of a field that the model itself defines."""
        default = self._fields[name].default
        return default(self) if default else False

    def write(self, vals):
        if not self._concerns(vals):
            return super().write(vals)
        refuse_expressions()
        if self._may_write_at_once():
            return super().write(vals)
        self.check_access("write")
        self._refuse_code_fields(vals.keys())
        self._check_unclaimed(vals)
        if not set(vals) & set(self._guarded_fields):
            return super().write(vals)
        vals = {name: self._to_choice(name, value) for name, value in vals.items()}
        for record in self:
            now, waiting = record._split(vals)
            super(SparSecondPerson, record).write(now)
            if now.keys() & set(self._guarded_fields):
                # Pending changes were based on another state of the record.
                record.sudo().setting_change_ids._overtake()
            record._propose(waiting)
        return True

    def _update_field_translations(self, field_name, translations, *args, **kwargs):
        """Raise UserError for a guarded field: its texts are written on the form."""
        if field_name in self._guarded_fields and not self._may_write_at_once():
            guarded = any(r._is_guarded(field_name, translations) for r in self)
            if guarded:
                raise UserError(
                    self.env._(
                        "Change %(field)s on the form: a second administrator must "
                        "approve it.",
                        field=self._fields[field_name]._description_string(self.env),
                    )
                )
        return super()._update_field_translations(
            field_name, translations, *args, **kwargs
        )

    def unlink(self):
        if self._filter_guarded():
            refuse_expressions()
        if not self.env.su:
            self._check_unclaimed({})
            self._check_deletable()
        return super().unlink()

    def _filter_guarded(self):
        """Return those of these records that concern two people."""
        return self

    def _check_deletable(self) -> None:
        """Raise UserError if a person would delete a record in use."""
        if self._counts_by and any(self.mapped(self._counts_by)):
            raise UserError(
                self.env._(
                    "%(name)s is in use. Archive it first: a second administrator "
                    "must approve that.",
                    name=self._description,
                )
            )

    def _check_unclaimed(self, vals: dict) -> None:
        """Raise UserError if a pending change is about one of these records.

        The approver has seen them as they are, so they stay unchanged until then. A
        change that only stops a record is made at once, and cancels the pending one.
        """
        for record in self:
            if vals and all(record._stops(*item) for item in vals.items()):
                continue
            change_sudo = self.env["spar.setting.change"].sudo()._find_naming(record)
            if change_sudo:
                raise UserError(
                    self.env._(
                        "%(record)s cannot be edited now: a change to it, or to "
                        "something that uses it, is waiting for a second person "
                        "(%(change)s, proposed by %(proposer)s). Have that change "
                        "approved, or withdraw it.",
                        record=record.display_name,
                        change=change_sudo.subject,
                        proposer=change_sudo.proposer_id.name,
                    )
                )

    def _may_write_at_once(self) -> bool:
        """Return whether this is superuser code, or these records' approved write.

        Other records that are written through their fields need their own approval.
        """
        return self.env.su or self.env.context.get(_CONTEXT_KEY) == self._get_mark()

    def _get_mark(self) -> tuple:
        """Return the mark of an approved write of these records, for the context."""
        return (APPROVED, self._name, *self.ids)

    def _to_choice(self, name: str, value):
        """Return a guarded x2many ``value``, which may only choose records.

        Commands that would create, edit or delete one of them are refused: the approver
        of the choice would not see it. Raises UserError.
        """
        field = self._fields[name]
        if name not in self._guarded_fields or field.type not in _MANY:
            return value
        commands = () if isinstance(value, models.BaseModel) else value or ()
        # Plain ids choose records.
        if any(c[0] in _EDITING for c in commands if not isinstance(c, int)):
            raise UserError(
                self.env._(
                    "%(field)s: choose existing records only, and edit them "
                    "separately.",
                    field=field._description_string(self.env),
                )
            )
        return [Command.set(self._get_chosen(name, value).ids)]

    def _get_chosen(self, name: str, value):
        """Return what the field would contain after a write of ``value``."""
        field = self._fields[name]
        return field.convert_to_record(field.convert_to_cache(value, self), self)

    # === PROPOSING === #

    def _split(self, vals: dict) -> tuple[dict, dict]:
        """Return the parts of ``vals`` that are written now and that need approval.

        Values that the record already has are left out.
        """
        changed = self._get_changed(vals)
        waiting = {
            name: value
            for name, value in changed.items()
            if self._is_guarded(name, value) and not self._stops(name, value)
        }
        now = {
            name: value
            for name, value in vals.items()
            if name not in self._guarded_fields or name in changed.keys() - waiting
        }
        return now, waiting

    def _get_changed(self, vals: dict) -> dict:
        """Return the guarded values of ``vals`` that differ from the record's."""
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
        """Store ``values`` until another person approves them; return the change.

        They are tried first: values that cannot be written are refused to the proposer.
        """
        self.ensure_one()
        if not values:
            return self.env["spar.setting.change"]
        self.check_access("write")
        named = self._rehearse(values)
        changes_sudo = self.env["spar.setting.change"].sudo()
        return changes_sudo._keep(self, values, self.env.user, named)

    def _rehearse(self, values: dict) -> list[tuple[str, int]]:
        """Write ``values`` and undo it; raise what writing them raises.

        Return the other records that affect the result, by model and id.
        """
        named: list[tuple[str, int]] = []
        try:
            with self.env.cr.savepoint():
                self._write_approved(values)
                self.env.flush_all()
                self._inspect_rehearsal()
                named = self.sudo()._list_named(values)
                raise _Rehearsed()
        except _Rehearsed:
            self.env.invalidate_all()
        return named

    def _inspect_rehearsal(self) -> None:
        """Inspect what was just tried, before it is undone.

        Overrides raise if it must not be proposed like this.
        """

    def _begins(self, values: dict) -> bool:
        """Return whether writing ``values`` puts this record to use."""
        return bool(self._counts_by and values.get(self._counts_by))

    def _list_named(self, values: dict) -> list[tuple[str, int]]:
        """Return the guarded records that ``values`` name.

        If the change puts this record to use, these are all that its guarded fields and
        parts name.
        """
        guarded = self.env.registry["spar.second.person"]._inherit_children
        names, named = values, []
        if self._begins(values):
            names = (*self._guarded_fields, *self._guarded_parts)
        for name in names:
            field = self._fields[name]
            if field.relational and field.comodel_name in guarded:
                records = self.with_context(active_test=False)[name]
                named += [(field.comodel_name, row_id) for row_id in records.ids]
        return sorted(set(named))

    def _get_standing_text(self) -> str:
        """Return all guarded values of the record as one text, for comparison."""
        self.ensure_one()
        if isinstance(self, self.env.registry["spar.sealed.setting"]):
            _number, texts = self.sudo()._read_texts(
                self._get_sealed_columns(), self.ids
            )
            return texts[0][1] if texts else ""
        names = [name for name in self._guarded_fields if self._fields[name].store]
        return json.dumps(self._get_snapshot(names), sort_keys=True)

    def _write_approved(self, values: dict) -> None:
        """Write approved values."""
        approved = self.with_context(**{_CONTEXT_KEY: self._get_mark()})
        approved._as_code().write(values)

    # === PRESENT AND PREVIOUS VALUES === #

    def _get_snapshot(self, names: list[str]) -> dict:
        """Return the present values of ``names`` in storable form, without secrets."""
        return {
            name: to_kept(self._fields[name].convert_to_write(self[name], self))
            for name in names
            if name not in self._guarded_secrets
        }

    def _describe_value(self, name: str, value) -> str:
        """Return ``value`` of a field, as people read it."""
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
        """Return what else the approver of ``values`` has to know, one line each.

        These are all guarded values that are set and do not change.
        """
        return [
            f"{self._fields[name]._description_string(self.env)}: "
            f"{self._describe_value(name, self[name])}"
            for name in self._guarded_fields
            if name not in values and name not in self._guarded_secrets and self[name]
        ]
