"""The comparison of a registry with the names that an addon relies on.

A contract is a JSON file: models with their fields (kind and comodel), values of
selections and methods; XML ids with their models; places in views. It is compared with
the registry in the database: a stub in our tests, the real one where that is installed.
"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

from lxml import etree


class ContractTests:
    """Tests of the contract beside the class that inherits them."""

    def read_contract(self) -> dict:
        path = Path(inspect.getfile(type(self))).with_name("contract.json")
        return json.loads(path.read_text())

    def test_registry_has_every_name(self):
        self.assertEqual(find_differences(self.env, self.read_contract()), [])

    def test_missing_name_is_noticed(self):
        contract = self.read_contract()
        fields = next(iter(contract["models"].values()))["fields"]
        fields[next(iter(fields))] = ["unknown"]
        fields["gone"] = ["char"]
        contract["models"]["spar.gone"] = {}
        contract["xml_ids"]["base.gone"] = "res.groups"
        next(iter(contract["views"].values())).append("//gone")
        self.assertEqual(len(find_differences(self.env, contract)), 5)

    def test_addons_for_this_registry_alone_installed_themselves(self):
        """Cover all of them: their names end with the registry's."""
        ours = self.__module__.split(".")[2]
        domain = [("name", "=like", r"spar\_%\_open%"), ("state", "=", "installed")]
        addons = self.env["ir.module.module"].search(domain)
        self.assertIn(ours, addons.mapped("name"))
        self.assertTrue(all(addons.mapped("auto_install")))
        registries = {name.rpartition("_")[2] for name in addons.mapped("name")}
        self.assertEqual(registries, {ours.rpartition("_")[2]})


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
