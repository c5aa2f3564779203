"""Answers to bad input: protocol JSON that names the member, never more."""

import json

import pytest
import requests

from examples.payer.client import TIMEOUT

from .answers import check_error, check_rejected
from .backend import EVERY_RIGHT, make_participant
from .client import Client, build_items
from .people import make_people
from .raw import send_raw

RESOLVE = "/mapper/sync/resolve"
#: Every kind of path that accepts messages.
PATHS = (
    RESOLVE,
    "/mapper/sync/link",
    "/mapper/link",
    "/mapper/async/unlink",
    "/mapper/sync/txn/status",
    "/registry/sync/txn/status",
    "/mapper/txn/status",
)


@pytest.fixture(scope="module")
def strict(server):
    """Return a participant of the strict profile with every right."""
    return Client(server.api, make_participant(server, "bad-input", **EVERY_RIGHT))


# === BODIES THAT CANNOT BE READ === #


@pytest.mark.parametrize(
    ("body", "member"),
    [
        (b"", "body"),
        (b"not json", "body"),
        (b'{"header": {}', "body"),
        (b"\xff\xfe\x00", "body"),
        (b"[]", "object"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b"[" * 50_000, "nested"),
        (b'{"a":' * 50_000, "nested"),
        (b'{"header": {"version": "1", "version": "1"}}', "header.version"),
        (b'{"header": {}, "header": {}}', "header"),
        (b'{"header": {"total_count": NaN}}', "header.total_count"),
        (b'{"header": {"total_count": -Infinity}}', "header.total_count"),
        (b'{"header": {"total_count": 1e999}}', "header.total_count"),
        (b'{"header": {"total_count": ' + b"9" * 5000 + b"}}", "header.total_count"),
        (b'{"header": {"sender_id": "a\\u0000b"}}', "header.sender_id"),
        (b'{"header": {"sender_id": "\\ud800"}}', "header.sender_id"),
        (b'{"message": {"x": ["\\udfff"]}}', "message.x[0]"),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("path", PATHS)
def test_unreadable_body_is_refused(strict, path, body, member):
    answer = strict.post(path, data=body)
    check_error(answer, 400, "err.request.bad", member)


@pytest.mark.parametrize("path", PATHS)
def test_body_of_ten_megabytes_is_refused(server, strict, path):
    size = 10 * 1024 * 1024
    head = [
        f"POST /spar/v1{path} HTTP/1.1",
        "Host: spar",
        f"Authorization: Bearer {strict.get_token()}",
        "Content-Type: application/json",
        f"Content-Length: {size}",
    ]
    answer = send_raw(server.port, head, b" " * size)
    assert answer.status == 413
    assert answer.document["errors"][0]["code"] == "err.request.bad"


@pytest.mark.parametrize("length", ["abc", "-1"])
def test_invalid_length_is_refused(server, strict, length):
    head = [
        f"POST /spar/v1{RESOLVE} HTTP/1.1",
        "Host: spar",
        f"Authorization: Bearer {strict.get_token()}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        "Connection: close",
    ]
    answer = send_raw(server.port, head)
    assert answer.status == 400
    assert answer.document["errors"][0]["code"] == "err.request.bad"


# === TYPES, PATHS, METHODS === #


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/html",
        "multipart/form-data",
        "application/xml",
        "nonsense",
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_other_content_type_is_refused(server, strict, path, content_type):
    body = json.dumps(strict.build_message("resolve", [])).encode()
    head = [
        f"POST /spar/v1{path} HTTP/1.1",
        "Host: spar",
        f"Authorization: Bearer {strict.get_token()}",
        f"Content-Length: {len(body)}",
        *([f"Content-Type: {content_type}"] if content_type else []),
    ]
    answer = send_raw(server.port, head, body)
    assert answer.status == 415
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["accept"] == "application/json"
    assert "Content-Type" in answer.document["errors"][0]["message"]


@pytest.mark.parametrize(
    "path",
    ["", "/", "/nothing", "/mapper", "/mapper/sync/pay", "/mapper/on-link"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_unknown_path_is_not_found(server, method, path):
    answer = requests.request(method, f"{server.api}{path}", json={}, timeout=TIMEOUT)
    check_error(answer, 404, "err.request.not_found")


@pytest.mark.parametrize(
    "path",
    ["/spar/v1/%ff%00", "/spar/v1/mapper/sync/link%2f", "/spar/v1/../v1", "/spar/v1//"],
)
def test_odd_path_is_not_found(server, path):
    answer = send_raw(
        server.port, [f"GET {path} HTTP/1.1", "Host: spar", "Connection: close"]
    )
    assert answer.status in (400, 404)
    assert answer.document["errors"][0]["code"].startswith("err.request.")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "FOO"])
@pytest.mark.parametrize("path", PATHS)
def test_wrong_method_is_refused_naming_the_right_one(server, strict, path, method):
    head = [
        f"{method} /spar/v1{path} HTTP/1.1",
        "Host: spar",
        f"Authorization: Bearer {strict.get_token()}",
        "Content-Type: application/json",
        "Connection: close",
    ]
    answer = send_raw(server.port, head)
    assert answer.status == 405
    assert "POST" in answer.headers["allow"]
    assert answer.document["errors"][0]["code"] == "err.request.bad"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", [*PATHS, "", "/nothing", "/health", "/participant"])
def test_head_and_options_get_no_page(server, method, path):
    answer = send_raw(
        server.port,
        [f"{method} /spar/v1{path} HTTP/1.1", "Host: spar", "Connection: close"],
    )
    assert answer.status < 500
    assert "set-cookie" not in answer.headers
    assert answer.headers.get("content-type", "application/json") == "application/json"


@pytest.mark.parametrize("path", [*PATHS, "", "/health", "/oauth2/client/token"])
def test_unknown_database_is_not_found(server, strict, path):
    headers = {**strict.get_headers(), "X-Odoo-Database": "no_such_database"}
    answer = requests.post(
        f"{server.api}{path}", headers=headers, data=b"{}", timeout=TIMEOUT
    )
    check_error(answer, 404, "err.request.not_found")


# === TOKENS AND RIGHTS === #


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer a.b.c", "Bearer \x7f"],
)
@pytest.mark.parametrize("path", PATHS)
def test_invalid_token_is_refused(server, strict, path, authorization):
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    message = strict.build_message("resolve", build_items([{"id": "token:1@x"}]))
    answer = requests.post(
        f"{server.api}{path}", headers=headers, json=message, timeout=TIMEOUT
    )
    check_error(answer, 401, "err.request.unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_altered_token_is_refused(strict):
    token = strict.get_token()
    head, body, mac = token.split(".")
    for altered in (f"{head}.{body}.{mac[::-1]}", f"{head}.{body}.", f"{token}x" * 20):
        headers = {"Authorization": f"Bearer {altered}"}
        answer = strict.post(RESOLVE, data=b"{}", headers=headers)
        check_error(answer, 401, "err.request.unauthorized")


def test_token_of_one_participant_does_not_authenticate_another(payer, strict):
    items = build_items([{"id": "token:1@nationalId"}])
    message = strict.build_message("resolve", items)
    check_error(payer.send("resolve", message), 403, "err.sender_id.invalid")


def test_missing_right_is_forbidden(payer):
    (person,) = make_people(1)
    items = build_items([person.linked])
    for operation in ("link", "update", "unlink"):
        answer = payer.send(operation, payer.build_message(operation, items))
        check_error(answer, 403, "err.request.forbidden")
    (answer,) = payer.resolve([person.resolve_item])
    assert answer["status_reason_code"] == "succ.id.not_found"


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"client_id": "a\x00b"}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_bad_token_request_is_refused(strict, changed, status, error):
    answer = strict.request_token(**changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["Content-Type"] == "application/json"
    assert strict.participant.client_secret not in answer.text


def test_narrow_token_grants_only_its_scope(server, strict):
    token = strict.request_token(scope="mapper.resolve").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    (person,) = make_people(1)
    items = build_items([person.linked])
    message = strict.build_message("link", items)
    answer = strict.post("/mapper/sync/link", json=message, headers=headers)
    check_error(answer, 403, "err.request.forbidden")


# === HEADERS === #

MISSING = object()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *[("message_id", bad) for bad in (MISSING, "", None, 7, [], "x" * 100_000)],
        *[("sender_id", bad) for bad in (MISSING, "", None, 7, {})],
        *[("message_ts", bad) for bad in (MISSING, None, 7)],
        *[("action", bad) for bad in (MISSING, None, ["resolve"])],
        *[("total_count", bad) for bad in (MISSING, None, "1", 1.5, True)],
        ("is_msg_encrypted", "false"),
        ("version", 1),
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("path", [RESOLVE, "/mapper/resolve", "/mapper/txn/status"])
def test_bad_header_member_is_named(strict, path, member, value):
    message = strict.build_message("resolve", build_items([{"id": "token:1@x"}]))
    message["header"][member] = value
    if value is MISSING:
        del message["header"][member]
    answer = strict.post(path, json=message)
    check_error(answer, 400, "err.request.bad", f"header.{member}")


@pytest.mark.parametrize(
    ("changed", "code", "member"),
    [
        ({"action": "link"}, "rjct.action.not_supported", "header.action"),
        ({"action": "pay"}, "rjct.action.invalid", "header.action"),
        ({"version": "9.9"}, "rjct.version.invalid", "header.version"),
        ({"message_ts": "today"}, "rjct.message_ts.invalid", "header.message_ts"),
        ({"total_count": 2}, "rjct.total_count.invalid", "header.total_count"),
        ({"total_count": -1}, "rjct.total_count.invalid", "header.total_count"),
    ],
)
def test_wrong_header_is_rejected(strict, changed, code, member):
    items = build_items([{"id": "token:1@nationalId"}])
    answer = strict.send("resolve", strict.build_message("resolve", items, **changed))
    check_rejected(answer, code, member)
    assert "message" not in answer.json()


def test_one_item_too_many_is_rejected(strict):
    items = build_items([person.linked for person in make_people(1001)])
    answer = strict.send("link", strict.build_message("link", items))
    check_rejected(answer, "rjct.total_count.limit_exceeded", "header.total_count")
    resolved = strict.resolve([{"id": item["id"]} for item in items[:1000]])
    assert {item["status_reason_code"] for item in resolved} == {"succ.id.not_found"}


@pytest.mark.parametrize("value", [MISSING, None, {}, "x", [], 7])
def test_missing_or_empty_list_of_items_is_refused(strict, value):
    message = strict.build_message("resolve", [])
    message["message"]["resolve_request"] = value
    if value is MISSING:
        del message["message"]["resolve_request"]
    answer = strict.send("resolve", message)
    check_error(answer, 400, "err.request.bad", "message.resolve_request")


@pytest.mark.parametrize("value", [MISSING, None, "", 7, "x" * 100])
def test_bad_transaction_id_is_named(strict, value):
    message = strict.build_message("resolve", build_items([{"id": "token:1@x"}]))
    message["message"]["transaction_id"] = value
    if value is MISSING:
        del message["message"]["transaction_id"]
    answer = strict.send("resolve", message)
    check_error(answer, 400, "err.request.bad", "message.transaction_id")


@pytest.mark.parametrize("member", ["header", "message"])
@pytest.mark.parametrize("value", [MISSING, None, [], "x"])
def test_missing_half_of_the_envelope_is_named(strict, member, value):
    message = strict.build_message("resolve", build_items([{"id": "token:1@x"}]))
    message[member] = value
    if value is MISSING:
        del message[member]
    check_error(strict.send("resolve", message), 400, "err.request.bad", member)


def test_encrypted_message_is_refused(strict):
    message = strict.build_message("resolve", [], is_msg_encrypted=True, total_count=1)
    message["message"] = {"ciphertext": "x"}
    answer = strict.send("resolve", message)
    check_error(answer, 400, "err.encryption.invalid", "message")


# === WHILE SOMETHING IS UNAVAILABLE === #


def test_calls_are_answered_without_the_database_and_work_again_later(server, strict):
    (person,) = make_people(1)
    strict.link([person.linked])
    items = build_items([person.linked])
    away = (".",)  # anything that Odoo logs while its database is unavailable
    with server.expecting(*away):
        with server.without_postgres():
            for path in PATHS:
                message = strict.build_message("link", items)
                answer = strict.post(path, json=message)
                check_error(answer, 503, "err.service.unavailable")
                assert int(answer.headers["Retry-After"]) > 0
            check_error(
                requests.get(f"{server.api}/health", timeout=TIMEOUT),
                503,
                "err.service.unavailable",
            )
            assert strict.request_token().status_code == 503
        assert strict.resolve([person.resolve_item])[0]["fa"] == person.fa
