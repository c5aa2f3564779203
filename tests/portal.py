"""A portal elsewhere, as a program: it can propose, and send people where it likes."""

import re
from dataclasses import dataclass
from uuid import uuid4

import requests

from .backend import EVERY_RIGHT
from .client import Client
from .person import Person, get_attribute

#: What a portal may do: nothing but to propose.
RIGHTS = {
    **EVERY_RIGHT,
    "may_link": 0,
    "may_update": 0,
    "may_unlink": 0,
    "may_resolve": 0,
    "may_use_extension": 1,
    "may_propose": 1,
}


@dataclass
class Portal:
    """The portal's participant."""

    client: Client

    def send(self, name: str, request: dict) -> requests.Response:
        """Return the answer to one request of another SPAR."""
        document = self.client.build_message("resolve", [])
        document["header"].update(action=f"spar-{name}", total_count=1)
        document["message"] = {
            "transaction_id": str(uuid4()),
            "requests": [{"reference_id": "0", "request": request}],
        }
        return self.client.post(f"/extension/{name}", json=document)

    def ask(self, name: str, request: dict) -> dict:
        """Return the answer, or what the error is."""
        response = self.send(name, request)
        assert response.status_code == 200, response.text
        (item,) = response.json()["message"]["answers"]
        return item.get("answer") or {"error": item["error"]}

    def propose(self, return_url: str, **request: dict) -> dict:
        about = {"draft_id": "d1", "return_url": return_url}
        return self.ask("propose", {**about, **request})

    def get_state(self, page: dict) -> str:
        reference = {"reference": page["reference"]}
        return self.ask("confirmation", reference)["state"]


def find_address(programme, facts: dict) -> str | None:
    (answer,) = programme.resolve([{"id": facts["id_value"], "scope": "details"}])
    return answer.get("fa")


def read_digits(page: requests.Response) -> str:
    """Return the digits that stand in what the page asks about; "" for a visit."""
    found = re.search(r'<strong class="digits"[^>]*>(\d{3})</strong>', page.text)
    return found[1] if found else ""


def press(person: Person, page: requests.Response, button: str) -> requests.Response:
    """Press a button of the page, as a browser does; follow where it leads."""
    (form,) = re.findall(rf'<form[^>]*/{button}".*?</form>', page.text, re.S)
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)[1]
    (*_others, main) = re.findall(r"<button[^>]*>", form)
    client, digits = get_attribute(main, "value"), read_digits(page)
    data = {"csrf_token": token, "digits": digits, "client": client}
    return person.browser.post(f"{page.url}/{button}", data=data, timeout=60)
