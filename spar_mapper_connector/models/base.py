from odoo import api, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools.misc import clean_context

from ..closed_fields import check_closed
from ..expressions import (
    is_at_run_time,
    is_by_operator,
    is_called_by_other_addon,
    is_called_from_module,
    is_loading_ours,
    refuse_expressions,
)
from ..server.addon_code import (
    check_code,
    check_deleting,
    check_linked,
    list_links,
)
from ..server.expression_names import read_names
from ..server.field_values import freeze_fields
from ..server.imports import guard_imports
from ..server.naming import check_naming, note_naming
from ..server.our_fields import note_our_fields
from ..server.reading import guard_searches, note_addons
from ..server.website_texts import leave_out_ours

#: Models of Odoo that decide who may do what here, besides ours.
_ALSO_OURS = ("auth.oauth.provider",)
#: Models through which mail for staff can be led elsewhere.
_MAIL = ("fetchmail.server", "ir.mail_server", "mail.alias.domain")
#: Rules of optional addons: model -> the path to the models beside which they run.
_BESIDE = {"base.automation": "model_id.model"}
#: Models of Odoo whose records only addons add, and the fields that Odoo itself writes:
#: tours speak to staff on their screens. What a theme has, Odoo makes scripts, views
#: and files of as it loads addons.
_SHIPPED = {
    "web_tour.tour": {"user_consumed_ids"},
    "web_tour.tour.step": set(),
    "theme.ir.asset": set(),
    "theme.ir.attachment": set(),
    "theme.ir.ui.view": set(),
    "theme.website.menu": set(),
    "theme.website.page": set(),
}
#: Models of Odoo that limit guessing: no expression forgets what was tried.
_LIMITS = ("auth.totp.rate.limit.log",)
#: The model by which Odoo sends to the browsers of its users, and where it does so.
_BUS = "bus.bus"
_BUS_FILE = "odoo.addons.bus.models.bus"
#: The beginning of a default in the context.
_DEFAULT = "default_"


class Base(models.AbstractModel):
    """A guard on every model, for the registry's records, and fields on other models.

    Neither an expression writes them, nor code of another addon that is superuser.
    """

    _inherit = "base"

    #: Our fields on a model of another addon: see ``server/our_fields.py``.
    _spar_fields: frozenset[str] = frozenset()
    #: The fields of a model that name fields, and what none of them names: see
    #: ``server/naming.py``.
    _spar_naming: frozenset[str] = frozenset()
    _spar_unnamed: frozenset[str] = frozenset()
    #: The addons that may read our records as superuser: see ``server/reading.py``.
    _spar_related: frozenset[str] = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        self._refuse_other_code()
        names = set().union(*vals_list, self._list_default_names())
        links = list_links(self, names)
        if vals_list:
            check_code(self)
            if self._name in _SHIPPED:
                self._refuse_shipped()
            if self._spar_fields:
                self._refuse_our_fields(names)
        model = self._drop_defaults()
        if self._is_filled_by_code():
            model = model.with_env(model.env(context=clean_context(model.env.context)))
        records = super(Base, model).create(vals_list)
        records = records.with_env(self.env)
        for name in links:
            check_linked(records[name])
        records._refuse_beside_ours()
        check_naming(records, self._spar_naming)
        return records

    @api.model
    def default_get(self, fields):
        """Return the defaults, without those of a caller for what only code writes."""
        return super(Base, self._drop_defaults()).default_get(fields)

    def _list_default_names(self) -> set[str]:
        """Return the fields to which a caller gives a default, by the context."""
        return {
            key.removeprefix(_DEFAULT)
            for key in self.env.context
            if key.startswith(_DEFAULT)
        }

    def _drop_defaults(self):
        """Return the model without defaults of a caller for what only code writes.

        Every caller chooses the context: ``default_verified_by`` there would say who
        verified an ID. So does the author of an action that staff open: in a form,
        ``default_fa_masked`` would show another address than the one that is used.
        """
        if not self._name.startswith("spar."):
            return self
        context = {
            key: value
            for key, value in self.env.context.items()
            if not (key.startswith(_DEFAULT) and self._is_ours_to_write(key))
        }
        if len(context) == len(self.env.context):
            return self
        return self.with_env(self.env(context=context))

    @api.model
    def _is_ours_to_write(self, key: str) -> bool:
        """Return whether a default in the context is for what only code writes."""
        name = key.removeprefix(_DEFAULT)
        field = self._fields.get(name)
        if field is None:
            return False
        if self._transient:
            return bool(field.compute) or self._is_code_field(name)
        return bool(field.readonly)

    @api.model
    def _is_filled_by_code(self) -> bool:
        """Return whether superuser code gives new records of ours all of their values.

        With ``default_active`` in a caller's context, nobody would see them.
        """
        return self.env.su and self._name.startswith("spar.") and not self._transient

    def write(self, vals):
        self._refuse_other_code()
        # Merging contacts writes to no record of each model with a reference.
        if self:
            check_code(self, vals.keys())
            if self._name in _SHIPPED:
                self._refuse_shipped(vals.keys())
        if self._spar_fields:
            self._refuse_our_fields(vals.keys())
        links = list_links(self, vals.keys())
        before = {name: self[name] for name in links}
        result = super().write(vals)
        for name in links:
            check_linked((self[name] - before[name]) | (before[name] - self[name]))
        self._refuse_beside_ours()
        check_naming(self, vals.keys())
        return result

    def unlink(self):
        self._refuse_other_code()
        check_deleting(self)
        return super().unlink()

    # Odoo orders and groups by the fields that rows name, also as superuser.

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        check_closed(self, field_name)
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        check_closed(self, groupby_spec)
        return super()._read_group_groupby(alias, groupby_spec, query)

    def _read_group_select(self, aggregate_spec, query):
        check_closed(self, aggregate_spec)
        return super()._read_group_select(aggregate_spec, query)

    @api.model
    def _refuse_other_code(self) -> None:
        """Raise an error if code that may not would write one of our models.

        Raises CalledFromExpression for an expression, AccessError for other addons.
        """
        is_ours = self._name.startswith("spar.") or self._name in _ALSO_OURS
        if is_ours or self._name in _MAIL:
            refuse_expressions()
        if self._name in _LIMITS:
            self._refuse_users()
        if self._name == _BUS:
            self._refuse_sending()
        if is_ours:
            self._refuse_other_addon()

    @api.model
    def _refuse_users(self) -> None:
        """Raise an error if a user, or an expression, would change these records.

        Raises CalledFromExpression and AccessError. Odoo itself is superuser here.
        """
        refuse_expressions()
        if is_at_run_time(self.env) and not self.env.su:
            raise AccessError(
                self.env._("Only Odoo itself changes records of failed attempts.")
            )

    @api.model
    def _refuse_sending(self) -> None:
        """Raise AccessError unless Odoo itself sends something to browsers.

        What they are sent, they show on staff's screens, whatever is open.
        """
        if is_at_run_time(self.env) and not is_called_from_module(_BUS_FILE):
            raise AccessError(
                self.env._("Only Odoo itself sends notifications to browsers.")
            )

    @api.model
    def _refuse_shipped(self, names=None) -> None:
        """Raise ValidationError if somebody would add what only addons ship.

        :param names: the fields that are written; None for a new record
        """
        is_free = names is not None and _SHIPPED[self._name] >= set(names)
        if is_free or not is_at_run_time(self.env):
            return
        raise ValidationError(
            self.env._(
                "You cannot add or change tours or templates of themes in a database "
                "with SPAR because they reach staff's screens. Ship them in an addon."
            )
        )

    @api.model
    def _refuse_our_fields(self, names) -> None:
        """Raise the same errors if such code would write one of our fields."""
        if not self._spar_fields.isdisjoint(names):
            refuse_expressions()
            self._refuse_other_addon()

    @api.model
    def _refuse_other_addon(self) -> None:
        if self.env.su and self._is_other_addon():
            raise AccessError(
                self.env._(
                    "Other apps cannot change %(model)s. Use SPAR's own screens.",
                    model=self._description,
                )
            )

    @api.model
    def _is_other_addon(self) -> bool:
        """Return whether another addon began this, beside the server's operator.

        Odoo itself deletes the rows of forms that people have left.
        """
        if self._transient or is_loading_ours(self.env) or is_by_operator(self.env):
            return False
        return is_called_by_other_addon()

    def _validate_properties_definition(self, properties_definition, field):
        """Raise ValidationError for a property that would show our records."""
        result = super()._validate_properties_definition(properties_definition, field)
        for definition in properties_definition:
            if (definition.get("comodel") or "").startswith("spar."):
                raise ValidationError(
                    self.env._(
                        "A property cannot show records of SPAR, such as %(model)s. "
                        "Only SPAR's own screens show them.",
                        model=definition["comodel"],
                    )
                )
        return result

    def _refuse_beside_ours(self) -> None:
        """Raise ValidationError if these records would run beside ours."""
        if path := _BESIDE.get(self._name):
            closed = self.env["spar.closed.customising"]
            closed._check_closed_models(set(filter(None, self.mapped(path))))


class SparExpressionNames(models.AbstractModel):
    """Names that no expression may contain, collected once all models are loaded."""

    _name = "spar.expression.names"
    _description = "Names that are closed to expressions"

    def _register_hook(self):
        result = super()._register_hook()
        read_names(self.env.registry._init_modules)
        freeze_fields(self.env.registry)
        note_our_fields(self.env.registry)
        note_naming(self.env.registry)
        note_addons(self.env.registry)
        guard_searches(self.env.registry)
        guard_imports(self.env.registry)
        leave_out_ours(self.env.registry)
        return result
