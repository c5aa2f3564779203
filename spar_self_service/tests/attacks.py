"""Attacks by a provider, or by someone in between, and how they are refused.

Each attack changes the hostile provider, or what the browser brings back.
"""

import json
import time
from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.tests.hostile_provider import CLIENT_ID, encode

NOW = time.time


@dataclass
class Attack:
    """An attack and the code of its refusal, ``refused``.

    ``changes`` are attributes of the provider (functions of it where they depend on
    it); ``callback`` is what the browser brings.
    """

    name: str
    refused: str
    changes: dict = field(default_factory=dict)
    callback: dict = field(default_factory=dict)

    def prepare(self, provider):
        for name, value in self.changes.items():
            setattr(provider, name, value(provider) if callable(value) else value)


def claims(name, refused="token_refused", **altered):
    return Attack(name, refused, {"id_token_claims": altered})


def later(seconds):
    return int(NOW()) + seconds


def self_signed(provider):
    """Return a token with the attacker's own key in the header."""
    return {
        "jwk": provider.unknown_key.public.jwk,
        "kid": provider.unknown_key.public.kid,
    }


def with_known_kid(provider):
    return {"kid": provider.keys["PS256"].public.kid}


def other_userinfo(name, refused="userinfo_refused", **altered):
    return Attack(name, refused, {"userinfo_claims": altered})


def respond(path, status, body, content_type="application/json"):
    return {"responses": {path: (status, body, content_type)}}


UNKNOWN_SIGNER = {"id_token_signer": lambda provider: provider.unknown_key}

ID_TOKEN = [
    claims("nonce of another login", nonce="another"),
    claims("no nonce", nonce=None),
    claims("nonce that is no text", nonce=["x"]),
    claims("another issuer", iss="https://other.example"),
    claims("issuer with a slash more", iss="https://other.example/"),
    claims("no issuer", iss=None),
    claims("for another client", aud="another-client"),
    claims("for no audience", aud=None),
    claims("for several, authorised for none", aud=[CLIENT_ID, "another-client"]),
    claims("authorised for another client", azp="another-client"),
    claims("expired", exp=later(-60)),
    claims("without an end", exp=None),
    claims("whose end is no number", exp="tomorrow"),
    claims("of the future", iat=later(3600)),
    claims("without a time", iat=None),
    claims("not valid yet", nbf=later(3600)),
    claims("without a subject", sub=None),
    claims("with an empty subject", sub=""),
    claims("with a subject that is no text", sub=4711),
    claims("with a subject that is too long", sub="s" * 256),
    claims("of another access token", at_hash=encode(b"another access to")),
    claims("without a way to authenticate", "not_strong_enough", acr=None),
    claims("by a way that is not accepted", "not_strong_enough", acr="password"),
    claims("by a list that holds no text", "not_strong_enough", acr=["x"]),
]
SIGNATURE = [
    Attack(
        "unsigned (alg none)", "token_refused", {"id_token_header": {"alg": "none"}}
    ),
    Attack(
        "signed with the public key",
        "token_refused",
        {"id_token_header": {"alg": "HS256"}},
    ),
    Attack(
        "by an algorithm not agreed",
        "token_refused",
        {"id_token_header": {"alg": "RS256"}},
    ),
    Attack("by another's key", "token_refused", UNKNOWN_SIGNER),
    Attack(
        "by another's key under a known name",
        "token_refused",
        {**UNKNOWN_SIGNER, "id_token_header": with_known_kid},
    ),
    Attack(
        "with its own key",
        "token_refused",
        {**UNKNOWN_SIGNER, "id_token_header": self_signed},
    ),
    Attack(
        "with the address of its own keys",
        "token_refused",
        {**UNKNOWN_SIGNER, "id_token_header": {"jku": "https://other.example/jwks"}},
    ),
    Attack(
        "with a duty (crit)", "token_refused", {"id_token_header": {"crit": ["exp"]}}
    ),
    Attack("no token at all", "token_refused", {"raw_id_token": "no-token"}),
    Attack("cut off", "token_refused", {"raw_id_token": "e30.e30."}),
    Attack("too long", "token_refused", {"raw_id_token": "e" * 20_000}),
]
KEYS = [
    Attack("no keys", "token_refused", {"jwks": {"keys": []}}),
    Attack("keys fail", "provider_unavailable", respond("/jwks", 500, b"{}")),
    Attack(
        "keys are no JSON", "provider_unavailable", respond("/jwks", 200, b"<html>")
    ),
    Attack(
        "keys are huge", "provider_unavailable", respond("/jwks", 200, b" " * 10**6)
    ),
    Attack("keys elsewhere", "provider_unavailable", respond("/jwks", 302, b"{}")),
    Attack("keys are slow", "provider_unavailable", {"delays": {"/jwks": 1.5}}),
    Attack(
        "only for encryption",
        "token_refused",
        {
            "jwks": lambda p: {
                "keys": [{**p.keys["PS256"].public.jwk, "use": "enc"}],
            }
        },
    ),
    Attack(
        "two of one name",
        "token_refused",
        {
            "jwks": lambda p: {
                "keys": [
                    p.keys["PS256"].public.jwk,
                    {**p.unknown_key.public.jwk, "kid": p.keys["PS256"].public.kid},
                ]
            }
        },
    ),
]
TOKEN_ENDPOINT = [
    Attack(
        "code refused",
        "code_refused",
        respond("/token", 400, b'{"error": "invalid_grant"}'),
    ),
    Attack("client refused", "code_refused", respond("/token", 401, b"no JSON")),
    Attack("fails", "provider_unavailable", respond("/token", 503, b"")),
    Attack("sends elsewhere", "provider_unavailable", respond("/token", 307, b"")),
    Attack("says nothing", "provider_unavailable", respond("/token", 200, b"{}")),
    Attack("says a list", "provider_unavailable", respond("/token", 200, b"[]")),
    Attack(
        "nested without end",
        "provider_unavailable",
        respond("/token", 200, b"[" * 60_000),
    ),
    Attack("is huge", "provider_unavailable", respond("/token", 200, b" " * 10**6)),
    Attack("is slow", "provider_unavailable", {"delays": {"/token": 1.5}}),
    Attack(
        "another kind of token",
        "provider_unavailable",
        respond(
            "/token",
            200,
            json.dumps(
                {"access_token": "a", "id_token": "b", "token_type": "mac"}
            ).encode(),
        ),
    ),
]
USERINFO = [
    other_userinfo("of somebody else", sub="somebody-else"),
    other_userinfo("of no subject", sub=None),
    other_userinfo("of another issuer", iss="https://other.example"),
    other_userinfo("for another client", aud="another-client"),
    other_userinfo("expired", exp=later(-60)),
    Attack(
        "plain where signed is due", "userinfo_refused", {"userinfo_format": "json"}
    ),
    Attack("unsigned", "token_refused", {"userinfo_header": {"alg": "none"}}),
    Attack("by public key", "token_refused", {"userinfo_header": {"alg": "HS256"}}),
    Attack(
        "by another's key",
        "token_refused",
        {"userinfo_signer": lambda provider: provider.unknown_key},
    ),
    Attack("fails", "provider_unavailable", respond("/userinfo", 500, b"")),
    Attack("is refused", "provider_unavailable", respond("/userinfo", 401, b"")),
    Attack("is huge", "provider_unavailable", respond("/userinfo", 200, b" " * 10**6)),
    other_userinfo("without an ID", "no_usable_id", individual_id=None),
    other_userinfo("with an ID that is no text", "no_usable_id", individual_id=4711),
    other_userinfo("with an empty ID", "no_usable_id", individual_id=" "),
    other_userinfo(
        "with an ID that writes its own provider",
        "no_usable_id",
        individual_id="9999@nationalId",
    ),
    other_userinfo(
        "with an ID that writes its own kind",
        "no_usable_id",
        individual_id="token:9999",
    ),
    other_userinfo(
        "with an invisible character in the ID",
        "no_usable_id",
        individual_id="7712345678\u200b",
    ),
]
CALLBACK = [
    Attack(
        "another issuer", "wrong_provider", callback={"iss": "https://other.example"}
    ),
    Attack("no issuer where it is promised", "wrong_provider", callback={"iss": None}),
    Attack("no code", "attempt_unknown", callback={"code": None}),
    Attack("code too long", "attempt_unknown", callback={"code": "c" * 5000}),
    Attack("no state", "attempt_unknown", callback={"state": None}),
    Attack("made-up state", "attempt_unknown", callback={"state": "made-up"}),
    Attack(
        "error of the provider",
        "attempt_cancelled",
        callback={"error": "access_denied", "code": None},
    ),
    Attack(
        "error that is a text",
        "attempt_cancelled",
        callback={"error": "<script>4711</script>", "code": None},
    ),
]
ATTACKS = {
    "ID token": ID_TOKEN,
    "signature": SIGNATURE,
    "keys": KEYS,
    "token endpoint": TOKEN_ENDPOINT,
    "userinfo": USERINFO,
    "callback": CALLBACK,
}
