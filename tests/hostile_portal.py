"""A portal whose code was replaced: what its secrets are good for.

It has the portal's participant at the store, and the portal's client at the ID
provider. It may send people anywhere, and start any login.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from .person import GENERATED_CODE, Person
from .portal import Portal

CLIENT_ID = "spar-hostile-portal"
RETURN_PATH = "/spar/hostile/back"
_SECRET = secrets.token_urlsafe(24)

#: The client, as the ID provider has it.
CLIENT = {
    "name": "Hostile portal",
    "login_path": "",
    "redirect_path": RETURN_PATH,
    "logout_path": "/spar",
    "metadata": {
        "client_id": CLIENT_ID,
        "client_secret": _SECRET,
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "PS256",
        "userinfo_signed_response_alg": "PS256",
        "require_auth_time": True,
    },
}


@dataclass(frozen=True)
class Login:
    """What a login at the portal gives it: the provider's signed words."""

    issuer: str
    id_token: str
    userinfo: str


@dataclass
class HostilePortal(Portal):
    """The portal's participant, with its client at the provider."""

    url: str
    issuer: str

    # === LOGINS AT ITS OWN CLIENT === #

    def build_login(self, **changed: str) -> tuple[str, str]:
        """Return where to send a browser to log in, and the verifier of the code.

        :param changed: parameters to replace, such as the nonce
        """
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        parameters = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": f"{self.url}{RETURN_PATH}",
            "state": "s",
            "nonce": "n",
            "max_age": "0",
            "acr_values": GENERATED_CODE,
            "claims": json.dumps({"userinfo": {"individual_id": {"essential": True}}}),
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            **changed,
        }
        sent = {name: value for name, value in parameters.items() if value}
        return f"{self.issuer}/auth?{urlencode(sent)}", verifier

    def get_code(self, person: Person, **changed: str) -> tuple[str, str]:
        """Let a person log in, for whatever reason; return the code and verifier."""
        address, verifier = self.build_login(**changed)
        back = person.authenticate(person.open(address))
        return parse_qs(urlsplit(back.url).query)["code"][0], verifier

    def log_in(self, person: Person, **changed: str) -> Login:
        return self.redeem(*self.get_code(person, **changed))

    def log_in_silently(self, person: Person) -> Login:
        """Log somebody in who has a session at the provider, for whatever site.

        They see no page, and are asked for nothing.
        """
        address, verifier = self.build_login(max_age="")
        code = parse_qs(urlsplit(person.open(address).url).query)["code"][0]
        return self.redeem(code, verifier)

    def redeem(self, code: str, verifier: str) -> Login:
        """Return what the provider gives for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{self.url}{RETURN_PATH}",
            "code_verifier": verifier,
        }
        answer = requests.post(
            f"{self.issuer}/token", data=form, auth=(CLIENT_ID, _SECRET), timeout=60
        )
        tokens = answer.json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        userinfo = requests.get(f"{self.issuer}/me", headers=headers, timeout=60)
        return Login(self.issuer, tokens["id_token"], userinfo.text)

    # === READING === #

    def read(self, id_value: str, login: Login, visit: str = "") -> dict:
        """Return the store's answer about a person, by somebody's login."""
        return self.ask("own-address", self.build_reading(id_value, login, visit))

    def build_reading(self, id_value: str, login: Login, visit: str) -> dict:
        return {
            "id": id_value,
            "issuer": login.issuer,
            "id_token": login.id_token,
            "userinfo": login.userinfo,
            "visit": visit,
        }


def forge(token: str, key=None, **changed) -> str:
    """Return a token with other claims: signed by ``key``, else with algorithm none.

    The header keeps the name of the provider's key.
    """
    header, payload = (_read(part) for part in token.split(".")[:2])
    header["alg"] = "ES256" if key else "none"
    signed = f"{_write(header)}.{_write({**payload, **changed})}"
    return f"{signed}.{key(signed.encode()) if key else ''}"


def _read(part: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _write(document: dict) -> str:
    text = json.dumps(document).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
