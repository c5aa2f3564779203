"""The kinds of provider that the demo shows, as records and as their other side."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoClient:
    """One way to be connected: our record's values, the provider's client metadata."""

    client_id: str
    name: str
    button: str
    preset: str
    values: dict
    metadata: dict


_ESIGNET = {
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "PS256",
    "subject_type": "pairwise",
    "id_token_signed_response_alg": "PS256",
    "userinfo_signed_response_alg": "PS256",
    "require_auth_time": True,
}
_ENCRYPTED = {
    "userinfo_encrypted_response_alg": "RSA-OAEP-256",
    "userinfo_encrypted_response_enc": "A256GCM",
}

CLIENTS = (
    DemoClient(
        "spar-esignet",
        "National ID",
        "Sign in with your national ID",
        "esignet",
        {"algorithms": "PS256", "sequence": 1, "on_door": True},
        _ESIGNET,
    ),
    DemoClient(
        "spar-keycloak",
        "Social office account",
        "Sign in with your social office account",
        "keycloak",
        {"algorithms": "RS256", "sequence": 2, "on_door": True},
        {
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": "RS256",
        },
    ),
    DemoClient(
        "spar-esignet-encrypted",
        "National ID, encrypted userinfo",
        "Sign in with your national ID (encrypted)",
        "esignet",
        {
            "algorithms": "PS256",
            "userinfo_format": "jwe",
            "sequence": 3,
            "on_door": False,
        },
        {**_ESIGNET, **_ENCRYPTED},
    ),
    DemoClient(
        "spar-pushed",
        "National ID, pushed requests",
        "Sign in with your national ID (pushed)",
        "esignet",
        {
            "algorithms": "ES256 EdDSA",
            "assertion_algorithm": "ES256",
            "assertion_audience": "issuer",
            "userinfo_format": "json",
            "use_par": True,
            "sequence": 4,
            "on_door": False,
        },
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "id_token_signed_response_alg": "EdDSA",
            "require_auth_time": True,
            "require_pushed_authorization_requests": True,
        },
    ),
)
