from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.models import MAGIC_COLUMNS

from ..lib.text_length import LONGEST, list_lines, measure

#: In the context of a write by code. An object rather than a value: nothing that comes
#: over RPC can equal it.
_BY_CODE = object()
_BY_CODE_KEY = "spar_by_code"
_OURS = "spar."
#: The beginning of a default in the context.
_DEFAULT = "default_"


class Base(models.AbstractModel):
    """A guard on what people write to the registry's models.

    ``readonly=True`` only tells a screen not to let anybody edit a field. Here it binds
    everybody: a stored field that is read-only is written by superuser code, or by code
    that says so with ``_as_code()``, and by no person, whichever way they write it
    (``create``, ``write``, ``web_save``, ``copy``, ``load``, or through another
    record).

    Every text that a person gives has a limit, whether it is stored, computed with
    while a form is open, or a default in the call's context.
    """

    _inherit = "base"

    #: Read-only fields of a form that the button which opens it fills in, besides the
    #: record that it is about: its user chose them by the button.
    _spar_given: frozenset[str] = frozenset()
    #: The most characters of single fields, where that is not the limit of their type.
    _spar_longest: dict[str, int] = {}

    @api.model_create_multi
    def create(self, vals_list):
        self._refuse_code_fields(set().union(*vals_list))
        for vals in vals_list:
            self._check_lengths(vals)
        self._check_default_lengths()
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_code_fields(vals.keys())
        self._check_lengths(vals)
        return super().write(vals)

    def copy_data(self, default=None):
        """Leave out of a copy by a person what only code writes."""
        copies = super().copy_data(default)
        if self._is_by_code():
            return copies
        return [
            {name: vals[name] for name in vals if not self._is_code_field(name)}
            for vals in copies
        ]

    @api.model
    def default_get(self, fields):
        self._check_default_lengths()
        return super().default_get(fields)

    def onchange(self, values, field_names, fields_spec):
        self._check_lengths(values)
        self._check_default_lengths()
        return super().onchange(values, field_names, fields_spec)

    def _update_field_translations(self, field_name, translations, *args, **kwargs):
        self._refuse_code_fields({field_name})
        for text in translations.values():
            self._check_lengths({field_name: text})
        return super()._update_field_translations(
            field_name, translations, *args, **kwargs
        )

    # === WHAT ONLY CODE WRITES === #

    def _as_code(self, *parts: str):
        """Return these records for a method that writes what only code writes.

        Unlike with ``sudo()``, everything else is checked as for the user. Other
        models that are written through fields of these records stay guarded.

        :param parts: models of such records that the method writes, too
        """
        mark = (_BY_CODE, self._name, *parts)
        return self.with_context(**{_BY_CODE_KEY: mark})

    @api.model
    def _is_by_code(self) -> bool:
        """Return whether these records may have their read-only fields written."""
        if not self._is_by_person():
            return True
        mark = self.env.context.get(_BY_CODE_KEY)
        is_mark = isinstance(mark, tuple) and mark[:1] == (_BY_CODE,)
        return is_mark and self._name in mark

    @api.model
    def _is_by_person(self) -> bool:
        """Return whether this is a model of ours, and no superuser code."""
        return self._name.startswith(_OURS) and not self.env.su

    @api.model
    def _is_code_field(self, name: str) -> bool:
        """Return whether only code writes this field."""
        field = self._fields.get(name)
        if field is None or not (field.store and field.readonly):
            return False
        # The record that a form is about.
        is_given = self._transient and field.type == "many2one"
        return not (is_given or name in self._spar_given or name in MAGIC_COLUMNS)

    @api.model
    def _refuse_code_fields(self, names) -> None:
        """Raise AccessError if a person would write what only code writes."""
        if self._is_by_code():
            return
        if refused := sorted(filter(self._is_code_field, names)):
            raise AccessError(
                self.env._(
                    "%(model)s: only the system fills in %(fields)s. Leave it out.",
                    model=self._description,
                    fields=", ".join(map(self._get_label, refused)),
                )
            )

    @api.model
    def _get_label(self, name: str) -> str:
        return self._fields[name]._description_string(self.env)

    # === HOW LONG A TEXT IS === #

    @api.model
    def _get_longest(self, name: str) -> int | None:
        """Return the most characters of a field; None if it is no text."""
        field = self._fields[name]
        usual = getattr(field, "spar_longest", LONGEST.get(field.type))
        return self._spar_longest.get(name, usual)

    @api.model
    def _check_default_lengths(self) -> None:
        """Check the defaults in the context; raises UserError."""
        if self._is_by_person():
            self._check_lengths(
                {
                    key.removeprefix(_DEFAULT): value
                    for key, value in self.env.context.items()
                    if key.startswith(_DEFAULT)
                }
            )

    @api.model
    def _check_lengths(self, vals: dict) -> None:
        """Check the texts of a record, and of lines that are given with it.

        Raises UserError, which names the field and never the text.
        """
        if not self._is_by_person():
            return
        for name in vals.keys() & self._fields.keys():
            field = self._fields[name]
            if field.compute and not field.inverse:
                # A screen sends it back, and it is computed anew.
                continue
            if field.type in ("one2many", "many2many"):
                for line in list_lines(vals[name]):
                    self.env[field.comodel_name]._check_lengths(line)
                continue
            most = self._get_longest(name)
            if most and measure(vals[name]) > most:
                raise UserError(
                    self.env._(
                        "%(field)s: enter at most %(most)s characters.",
                        field=self._get_label(name),
                        most=most,
                    )
                )
