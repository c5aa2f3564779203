"""Assertions about answers to refused requests."""

import requests


def check_error(
    answer: requests.Response, status: int, code: str, member: str = ""
) -> None:
    """Assert that the answer is the error document, with the member and no more."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["Content-Type"] == "application/json"
    assert "Set-Cookie" not in answer.headers
    (error,) = answer.json()["errors"]
    assert error["code"] == code
    assert member in error["message"]
    for word in ("Traceback", "<html", "File ", "odoo"):
        assert word not in answer.text


def check_rejected(answer: requests.Response, code: str, member: str = "") -> None:
    """Assert that the message was read and rejected as a whole, in a header."""
    assert answer.status_code == 200, answer.text[:500]
    header = answer.json()["header"]
    assert (header["status"], header["status_reason_code"]) == ("rjct", code)
    assert member in header["status_reason_message"]


def check_item(item: dict, code: str, member: str) -> None:
    assert (item["status"], item.get("status_reason_code")) == ("rjct", code)
    assert item["status_reason_message"].startswith(member)
