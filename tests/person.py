"""A person who logs in at the demo's ID provider: without a browser, by forms alone."""

import html
import re
from dataclasses import dataclass
from urllib.parse import urljoin

import requests

from setup.id_provider import IdProvider

GENERATED_CODE = "mosip:idp:acr:generated-code"
FINGERPRINT = "mosip:idp:acr:biometrics"


class Person:
    """A person of the demo with a browser of their own: cookies, forms, redirects."""

    def __init__(self, facts: dict, acr: str = GENERATED_CODE):
        self.facts = facts
        self.acr = acr
        self.browser = requests.Session()

    # === FORMS === #

    def open(self, url: str) -> requests.Response:
        return self.browser.get(url, timeout=60)

    def send(self, page: requests.Response, **fields: str) -> requests.Response:
        """Fill in and send the form of ``page`` that has all these fields."""
        form = next(
            form
            for form in re.findall(r"<form.*?</form>", page.text, re.S)
            if all(f'name="{name}"' in form for name in fields)
        )
        hidden = re.findall(r'<input type="hidden"[^>]*>', form)
        values = {
            get_attribute(tag, "name"): get_attribute(tag, "value") for tag in hidden
        }
        action = get_attribute(form, "action") or page.url
        return self.browser.post(
            urljoin(page.url, action), data={**values, **fields}, timeout=60
        )

    # === THE LOGIN === #

    def begin(self, url: str, **fields: str) -> requests.Response:
        """Press the button at our side; return the provider's page, or the result."""
        return self.send(self.open(url), **fields)

    def authenticate(self, page: requests.Response) -> requests.Response:
        """Authenticate at the provider; return our side's answer."""
        return self.send(page, **self.get_proof())

    def get_proof(self) -> dict[str, str]:
        proof = {"individual_id": self.facts["individual_id"]}
        if self.acr == GENERATED_CODE:
            return {**proof, "otp": self.facts["otp"]}
        return {**proof, "acr": self.acr}

    def log_in(self, url: str) -> requests.Response:
        """Log in completely by the button at ``url``."""
        return self.authenticate(self.begin(url))


def get_attribute(tag: str, name: str) -> str:
    """Return an attribute of the first tag in a piece of HTML."""
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else ""


@dataclass(frozen=True)
class ProviderAtWork:
    """The demo's ID provider: our clients there, and its people."""

    issuer: str
    clients: dict[str, dict]
    people: list[dict]
    newcomers: list[dict]
    running: IdProvider | None = None

    def rotate_keys(self) -> None:
        """Start the provider anew: it makes other keys, and publishes only those."""
        self.running.stop()
        self.running.start()
        self.running.wait()

    @classmethod
    def build(cls, facts: dict, url: str, issuer: str) -> "ProviderAtWork":
        clients = {
            client["metadata"]["client_id"]: {
                "login_url": url + client["login_path"],
                "redirect_uri": url + client["redirect_path"],
            }
            for client in facts["idp"]["clients"]
        }
        return cls(issuer, clients, facts["beneficiaries"], facts["idp"]["newcomers"])
