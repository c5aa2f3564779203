"""The description against the server: bounded numbers of made-up calls to every path.

Every call, right or wrong, is answered as the description says: no server error, and no
status, type or document that it does not define.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import FailureGroup, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .backend import EVERY_RIGHT, make_participant
from .client import Client

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CASES = 6
BOUNDED = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TOKEN_PATH = "/oauth2/client/token"


@pytest.fixture(scope="module")
def description(server):
    """Return the server's own description for programs."""
    client = server.get_client("programme")
    document = client.session.get(f"{server.api}/openapi.json", timeout=30).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=server.api)
    return schema


@pytest.fixture(scope="module")
def callers(server) -> list[Client]:
    """Return a caller that does not sign, and one that does."""
    signer = make_participant(server, "made-up", **EVERY_RIGHT)
    return [server.get_client("programme"), Client(server.api, signer)]


def get_operations(schema) -> list:
    return [result.ok() for result in schema.get_all_operations()]


def send(case, client: Client | None):
    """Return the answer to a made-up call, as sent by the client, if there is one."""
    headers = {}
    if client:
        headers["Authorization"] = f"Bearer {client.get_token()}"
        is_message = isinstance(case.body, dict) and case.path != TOKEN_PATH
        if client.key and is_message:
            case.body = client.key.sign_message(case.body)
    return case.call(headers=headers)


def check_operation(operation, client: Client | None, mode) -> int:
    """Send CASES calls of one operation; return the number that was sent."""
    sent = []

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        answer = send(case, client)
        case.validate_response(answer, checks=CHECKS)
        sent.append(answer.status_code)

    try:
        run()
    except Unsatisfiable:
        # A call without any content cannot be wrong.
        assert not sent and mode is schemathesis.GenerationMode.NEGATIVE
    return len(sent)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_every_path_matches_its_description(description, callers, mode):
    operations = get_operations(description)
    assert len(operations) > 20
    sent = sum(
        check_operation(operation, client, mode)
        for operation in operations
        for client in (*callers, None)
    )
    assert sent > len(operations)


def test_check_can_fail(server, description):
    """An answer that the description does not define is found."""
    case = description["/health"]["GET"].Case()
    answer = case.call()
    case.validate_response(answer, checks=CHECKS)
    answer.status_code = 418
    with pytest.raises(FailureGroup):
        case.validate_response(answer, checks=CHECKS)
