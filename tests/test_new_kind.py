"""A new kind of address: set up in the backend, linked and resolved over REST."""

import pytest

from .backend import EVERY_RIGHT, Refused, get_backend, make_participant
from .client import Client
from .people import make_people

FA = "seed_voucher:SEED/79927398713@SEEDS"
PARTS = [
    {"label": "Voucher scheme", "key": "voucher_scheme", "kind": "provider"},
    {
        "label": "Campaign code",
        "key": "campaign_code",
        "check_code": "regex",
        "check_parameter": "[A-Z]{4}",
    },
    {"label": "Serial number", "key": "serial_number", "check_code": "luhn"},
]
STRATEGY = {
    "name": "Seed voucher",
    "template": "seed_voucher:{campaign_code}/{serial_number}@{voucher_scheme}",
    "is_default": True,
}
KIND = {
    "name": "Seed voucher",
    "code": "seed_voucher",
    "provider_kind": "voucher",
    "part_ids": [(0, 0, part) for part in PARTS],
    "strategy_ids": [(0, 0, STRATEGY)],
}


@pytest.fixture(scope="module")
def kind(server):
    """Return the kind, as the form of an administrator saves it."""
    administrator = get_backend(server, "administrator")
    (row_id,) = administrator.call("spar.fa.type", "create", [KIND])
    return row_id


@pytest.fixture(scope="module")
def strict(server):
    return Client(server.api, make_participant(server, "new-kind", **EVERY_RIGHT))


def test_new_kind_is_linked_resolved_and_masked(server, kind, strict):
    (person,) = make_people(1)
    (answer,) = strict.link([{"id": person.id, "fa": FA}])
    assert answer["status"] == "succ"
    (found,) = strict.resolve([person.resolve_item])
    assert found["fa"] == FA
    assert found["account_provider_info"]["code"] == "SEEDS"
    seen = get_backend(server, "officer").find_mapping(person.id)
    name = "Tavoria Seed and Tool Vouchers"
    assert seen["fa_masked"] == f"Seed voucher ••D, ••13 at {name}"


@pytest.mark.parametrize(
    "fa, part",
    [
        ("seed_voucher:SEED/79927398710@SEEDS", "serial_number"),
        ("seed_voucher:seed/79927398713@SEEDS", "campaign_code"),
    ],
)
def test_mistyped_parts_are_refused_by_name(kind, strict, fa, part):
    (person,) = make_people(1)
    (answer,) = strict.link([{"id": person.id, "fa": fa}])
    assert answer["status_reason_code"] == "rjct.fa.invalid"
    assert part in answer["status_reason_message"]
    assert fa not in answer["status_reason_message"]


def test_parts_are_fixed_once_addresses_exist(server, kind):
    administrator = get_backend(server, "administrator")
    more = {"part_ids": [(0, 0, {"label": "More", "key": "more"})]}
    with (
        server.expecting("Strategies write addresses"),
        pytest.raises(Refused, match="add a new kind"),
    ):
        administrator.call("spar.fa.type", "write", [kind], more)
