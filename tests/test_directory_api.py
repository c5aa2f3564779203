"""The directory over REST: searches, pages, caching and refusals."""

import itertools
from urllib.parse import quote

import pytest
import requests

from examples.payer.client import TIMEOUT

from .answers import check_error
from .backend import get_backend
from .client import Client

PROVIDERS = "/directory/providers"
BAD = "err.request.bad"


def get(client: Client, path: str, **words) -> requests.Response:
    """Return the raw answer of a path of the directory."""
    headers = {**client.get_headers(), **words.pop("headers", {})}
    url = f"{client.api}{path}"
    return client.session.get(url, headers=headers, timeout=TIMEOUT, **words)


def get_names(answer: requests.Response, member: str = "providers") -> list[str]:
    assert answer.status_code == 200, answer.text[:500]
    return [item["name"] for item in answer.json()[member]]


def turn_pages(client: Client, path: str, member: str, **params) -> list[dict]:
    """Return all items, by following ``next``, which the header must equal."""
    answer = get(client, path, params=params)
    items = answer.json()[member]
    for _number in itertools.count():
        following = answer.json().get("next")
        assert (following is None) == ("Link" not in answer.headers)
        if not following:
            return items
        assert answer.headers["Link"] == f'<{following}>; rel="next"'
        answer = get(client, following.removeprefix("/spar/v1"))
        items += answer.json()[member]


@pytest.mark.parametrize("text", ["harbour bank", "bank harbuor", "HARBOUR"])
def test_provider_is_found(payer, text):
    names = get_names(get(payer, PROVIDERS, params={"q": text}))
    assert names[0] == "Harbour Bank of Tavoria"


def test_branch_is_found_in_its_provider(payer):
    (provider,) = get(payer, PROVIDERS, params={"q": "harbour bank"}).json()[
        "providers"
    ][:1]
    path = f"{PROVIDERS}/{quote(provider['code'], safe='')}/branches"
    answer = get(payer, path, params={"q": "marn universty"})
    assert get_names(answer, "branches")[0] == "Marn, University"
    assert provider["branches"] == len(turn_pages(payer, path, "branches", limit=4))


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_every_page_size_lists_every_provider_once(payer, limit):
    items = turn_pages(payer, PROVIDERS, "providers", limit=limit)
    codes = [item["code"] for item in items]
    assert codes == sorted(codes, key=str.upper) and len(set(codes)) == len(codes)
    kinds = {item["kind"] for item in items}
    assert {"bank", "wallet", "email_wallet", "voucher"} <= kinds


def test_type_and_kind_filter(payer):
    for params in ({"type": "mobile_wallet"}, {"kind": "wallet"}):
        items = turn_pages(payer, PROVIDERS, "providers", limit=2, **params)
        assert items and {item["kind"] for item in items} == {"wallet"}


def test_address_kinds_have_their_parts(payer):
    types = get(payer, "/directory/fa-types").json()["fa_types"]
    parts = {part["key"]: part for each in types for part in each["parts"]}
    assert parts["account_number"]["label"] == "Account number"
    assert parts["account_number"]["schema"]["pattern"].startswith("^(?:")
    assert parts["phone_number"]["check"]["code"] == "phone"


def test_answer_is_cached_while_it_is_true(server, payer):
    backend = get_backend(server, "administrator")
    made = {"name": "Kept Bank", "code": "KEPT1"}
    (row_id,) = backend.call("spar.fsp", "create", [made])
    params = {"q": "kept bank"}
    first = get(payer, PROVIDERS, params=params)
    assert first.headers["Cache-Control"] == "private, max-age=60"
    assert "Accept-Language" in first.headers["Vary"]
    known = {"If-None-Match": first.headers["ETag"]}
    again = get(payer, PROVIDERS, params=params, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Set-Cookie" not in again.headers
    assert again.headers["Date"].count("GMT") == 1
    backend.call("spar.fsp", "write", [row_id], {"name": "Kept Bank of Late"})
    changed = get(payer, PROVIDERS, params=params, headers=known)
    assert get_names(changed)[0] == "Kept Bank of Late"
    backend.call("spar.fsp", "unlink", [row_id])


def test_missing_language_falls_back_to_english(payer):
    answer = get(payer, PROVIDERS, headers={"Accept-Language": "xx, *;q=0.1"})
    assert answer.headers["Content-Language"] == "en"


def test_resolving_counts_no_items(server, payer):
    query = "SELECT coalesce(sum(items), 0) FROM spar_participant_usage"
    before = server.query(query)
    get(payer, PROVIDERS)
    assert server.query(query) == before


# === REFUSED === #


@pytest.mark.parametrize(
    "params, member",
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "\u0665"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a\0b"}, "q"),
        ({"type": "cheque"}, "type"),
        ({"kind": "casino"}, "kind"),
        ({"type": "mobile_wallet", "kind": "bank"}, "kind"),
        ({"country": "Atlantis"}, "country"),
        ({"country": "Q"}, "country"),
        ({"archived": "yes"}, "archived"),
        ({"cursor": "!!"}, "cursor"),
        ({"cursor": "QkFOSw", "q": "bank"}, "cursor"),
        ({"querry": "bank"}, "querry"),
        ({"q": ["a", "b"]}, "q"),
    ],
)
def test_bad_parameter_is_named(payer, params, member):
    check_error(get(payer, PROVIDERS, params=params), 400, BAD, member)


def test_bytes_that_are_not_text_are_refused(payer):
    check_error(get(payer, f"{PROVIDERS}?q=%ff%fe"), 400, BAD, "query")


def test_address_kinds_accept_no_parameter(payer):
    answer = get(payer, "/directory/fa-types", params={"q": "bank"})
    check_error(answer, 400, BAD, "q")


@pytest.mark.parametrize("code", ["NONE", "a%2Fb", "%00", "%27%3B--", "x" * 3000])
def test_unknown_provider_is_not_found(payer, code):
    answer = get(payer, f"{PROVIDERS}/{code}/branches")
    check_error(answer, 404, "err.request.not_found")


def test_missing_token_is_refused_without_details(server):
    for path in (PROVIDERS, "/directory/fa-types", f"{PROVIDERS}/NONE/branches"):
        answer = requests.get(f"{server.api}{path}", timeout=TIMEOUT)
        check_error(answer, 401, "err.request.unauthorized")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [PROVIDERS, f"{PROVIDERS}/X/branches"])
def test_nothing_can_be_written(payer, method, path):
    answer = payer.session.request(
        method, f"{payer.api}{path}", headers=payer.get_headers(), timeout=TIMEOUT
    )
    check_error(answer, 405, BAD)
    assert answer.headers["Allow"] == "GET"


def test_logic_is_only_called_through_the_routes(server):
    backend = get_backend(server, "viewer")
    for method in ("_find_providers", "_list_fa_types"):
        with server.expecting("Private methods", "Exception during request"):
            with pytest.raises(Exception, match="rivate|not allowed"):
                backend.call("spar.directory", method)
