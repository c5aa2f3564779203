"""Which fields are ours, also on models of others: a contact's head of household."""

#: The directory contains nothing about people: custom rules and fields are harmless.
HARMLESS = "spar_fa_directory"
_OURS = "spar_"


def is_our_field(field) -> bool:
    """Return whether addons of SPAR alone define a field."""
    modules = field._modules
    return bool(modules) and all(name.startswith(_OURS) for name in modules)


def note_our_fields(registry) -> None:
    """Note for each model of others which of its fields are ours."""
    for name, model in registry.items():
        if not name.startswith("spar."):
            fields = model._fields.values()
            model._spar_fields = frozenset(
                field.name for field in fields if is_our_field(field)
            )
