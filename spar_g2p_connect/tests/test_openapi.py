import json
import re

from odoo.http import _generate_routing_rules
from odoo.tests import HttpCase, tagged

from odoo.addons.spar_g2p_connect import exceptions
from odoo.addons.spar_g2p_connect.const import BASE_PATH, ROUTING_TYPE
from odoo.addons.spar_g2p_connect.lib.openapi import paths as described
from odoo.addons.spar_g2p_connect.lib.openapi.document import build_document
from odoo.addons.spar_g2p_connect.lib.openapi.page import build_page
from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import codes, items, openg2p_2
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    OPERATIONS,
    RequestHeader,
    ResponseHeader,
)

_CATCH_ALL = {BASE_PATH, f"{BASE_PATH}/<path:subpath>"}


def get_routes() -> dict[str, dict]:
    """Return path, as the description writes it -> our route's own settings."""
    rules = _generate_routing_rules(["spar_g2p_connect"], nodb_only=False)
    return {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", url.removeprefix(BASE_PATH)): (
            endpoint.routing
        )
        for url, endpoint in rules
        if endpoint.routing["type"] == ROUTING_TYPE and url not in _CATCH_ALL
    }


@tagged("post_install", "-at_install")
class TestDescription(HttpCase):
    """The description matches the code: nothing is missing, nothing is added."""

    def setUp(self):
        super().setUp()
        self.document = build_document()
        self.schemas = self.document["components"]["schemas"]

    def get_operations(self):
        return [
            (path, method, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        ]

    def test_every_route_is_described_and_nothing_else(self):
        described_names = {
            (path, method) for path, method, _operation in self.get_operations()
        }
        expected = {
            (path, method.lower())
            for path, routing in get_routes().items()
            for method in routing["methods"]
        }
        self.assertEqual(described_names, expected)

    def test_security_matches_the_routes(self):
        routes = get_routes()
        expected = {"spar_service": [], "spar_participant": [{"bearer": []}]}
        for path, _method, operation in self.get_operations():
            with self.subTest(path):
                security = operation["security"]
                if routes[path]["auth"] == "spar_message":
                    self.assertIn({"signature": []}, security)
                else:
                    self.assertEqual(security, expected[routes[path]["auth"]])

    def test_content_types_match_the_routes(self):
        for path, routing in get_routes().items():
            operation = self.document["paths"][path].get("post")
            if operation:
                wanted = routing.get("content_type", "application/json")
                self.assertEqual(list(operation["requestBody"]["content"]), [wanted])

    def test_every_code_of_an_item_is_described(self):
        for operation in map(Operation, OPERATIONS):
            word = operation.value.title()
            item = self.schemas[f"{word}ResponseItem"]["properties"]
            described_names = set(item["status_reason_code"]["enum"])
            expected = {
                m.code for m in items.get_members(operation)
            } | items.OTHER_CODES
            expected |= codes.list_codes(operation)
            self.assertEqual(described_names, expected)

    def test_members_match_the_codec(self):
        for operation in map(Operation, OPERATIONS):
            word = operation.value.title()
            asked = set(self.schemas[f"{word}RequestItem"]["properties"])
            read = {member.name for member in items.get_members(operation)}
            self.assertLessEqual(read, asked)
            header = self.schemas[f"{word}Request"]["properties"]["header"]
            read = set(RequestHeader.__dataclass_fields__) - {"passed"} | {"meta"}
            self.assertEqual(set(header["properties"]), read)
        written = set(ResponseHeader.__dataclass_fields__) | {"is_msg_encrypted"}
        self.assertEqual(set(self.schemas["ResponseHeader"]["properties"]), written)

    def test_openg2p_2_envelope_is_described_on_its_paths(self):
        header = {"status": "rjct", "status_reason_code": "a"}
        for operation in OPERATIONS:
            word = operation.title()
            for path in ("sync/", "async/", ""):
                post = self.document["paths"][f"/mapper/{path}{operation}"]["post"]
                text = json.dumps(post)
                self.assertIn(f"/OpenG2p2{word}Request", text)
                self.assertIn(f"/OpenG2p2{word}Response", text)
            answer = openg2p_2.to_wire("r", {"header": header}, operation)
            schema = self.schemas[f"OpenG2p2{word}Response"]
            self.assert_described(answer, schema)
            (items,) = self.get_required(schema, "response_body", "response_payload")
            self.assertIn(items, answer["response_body"]["response_payload"])
            request = self.schemas[f"OpenG2p2{word}Request"]
            (items,) = self.get_required(request, "request_body", "request_payload")
            sent = dict.fromkeys(self.get_required(request, "request_header"), "r")
            payload = {"request_payload": {items: []}}
            read = {"request_header": sent, "request_body": payload}
            self.assertEqual(openg2p_2.from_wire(read, operation)["message"][items], [])

    def get_required(self, schema, *path):
        for name in path:
            schema = schema["properties"][name]
        return schema["required"]

    def assert_described(self, document, schema):
        """Assert that every member of an object in ``document`` is in ``schema``."""
        for name, value in document.items():
            self.assertIn(name, schema["properties"])
            if isinstance(value, dict):
                self.assert_described(value, schema["properties"][name])

    def test_every_status_of_an_error_is_described(self):
        statuses = {
            str(error.code)
            for error in vars(exceptions).values()
            if isinstance(error, type) and issubclass(error, exceptions.ProtocolError)
        }
        self.assertLessEqual(statuses, set(described.REASONS))

    def test_every_reference_resolves(self):
        text = json.dumps(self.document)
        for name in re.findall(r'"#/components/schemas/(\w+)"', text):
            self.assertIn(name, self.schemas)

    def test_description_is_served(self):
        response = self.url_open(f"{BASE_PATH}/openapi.json")
        self.assertEqual(response.json(), json.loads(json.dumps(self.document)))
        self.assertNotIn("Set-Cookie", response.headers)

    def test_page_is_complete_and_loads_nothing(self):
        response = self.url_open(f"{BASE_PATH}/docs")
        self.assertEqual(response.headers["Content-Type"], "text/html; charset=utf-8")
        self.assertNotIn("Set-Cookie", response.headers)
        page = response.text
        self.assertEqual(page, build_page())
        for path in self.document["paths"]:
            self.assertIn(f"{BASE_PATH}{path}", page.replace("&#x27;", "'"))
        for name in self.schemas:
            self.assertIn(f"id='{name}'", page)
        self.assertNotRegex(page, r"<script|<link|<img|src=|@import|url\(|https?://")
        self.assertIn("default-src 'none'", response.headers["Content-Security-Policy"])

    def test_other_methods_are_refused(self):
        for path in ("/openapi.json", "/docs", "/.well-known/jwks.json"):
            response = self.url_open(f"{BASE_PATH}{path}", data="{}", method="POST")
            self.assertEqual(response.status_code, 405)
            self.assertEqual(response.headers["Content-Type"], "application/json")
