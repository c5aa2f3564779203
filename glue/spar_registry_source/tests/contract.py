"""The comparison of a registry with the names that an addon relies on.

A contract is a JSON file: models with their fields (kind and comodel), values of
selections and methods; XML ids with their models; places in views. It is compared with
the registry in the database: a stub in our tests, the real one where that is installed.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from lxml import etree


def read_contract(folder: str) -> dict:
    """Return the contract beside a test; ``folder`` is the test's ``__file__``."""
    return json.loads(Path(folder).with_name("contract.json").read_text())


def find_differences(env, contract: dict) -> list[str]:
    """Return what the registry in the database lacks of a contract, in words."""
    return [
        *_compare_models(env, contract["models"]),
        *_compare_xml_ids(env, contract["xml_ids"]),
        *_compare_views(env, contract.get("views", {})),
    ]


def _compare_models(env, models: dict) -> Iterator[str]:
    for name, wanted in models.items():
        if name not in env:
            yield f"no model {name}"
            continue
        yield from _compare_fields(env[name], wanted.get("fields", {}))
        for method in wanted.get("methods", []):
            if not callable(getattr(env[name], method, None)):
                yield f"no method {name}.{method}"
        for field, values in wanted.get("values", {}).items():
            known = dict(env[name]._fields[field]._description_selection(env))
            missing = [value for value in values if value not in known]
            if missing:
                yield f"no values {missing} of {name}.{field}"


def _compare_fields(model, fields: dict) -> Iterator[str]:
    for name, (kind, *comodel) in fields.items():
        field = model._fields.get(name)
        if field is None:
            yield f"no field {model._name}.{name}"
        elif field.type != kind:
            yield f"{model._name}.{name} is {field.type}, not {kind}"
        elif comodel and field.comodel_name != comodel[0]:
            yield f"{model._name}.{name} is of {field.comodel_name}, not {comodel[0]}"


def _compare_xml_ids(env, xml_ids: dict) -> Iterator[str]:
    for xml_id, model in xml_ids.items():
        record = env.ref(xml_id, raise_if_not_found=False)
        if not record:
            yield f"no record {xml_id}"
        elif record._name != model:
            yield f"{xml_id} is of {record._name}, not {model}"


def _compare_views(env, views: dict) -> Iterator[str]:
    for xml_id, places in views.items():
        view = env.ref(xml_id, raise_if_not_found=False)
        if not view:
            yield f"no view {xml_id}"
            continue
        arch = etree.fromstring(view.get_combined_arch())
        for place in places:
            if not arch.xpath(place):
                yield f"no place {place} in {xml_id}"
