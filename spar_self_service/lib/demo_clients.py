"""The kinds of client that the demo shows, with both sides of their configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoClient:
    """A kind of client: our record's values and the provider's client metadata."""

    client_id: str
    name: str
    #: the button's label, by Odoo's code of the language
    button: dict[str, str]
    preset: str
    values: dict[str, object]
    metadata: dict[str, object]


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

_NATIONAL_ID = {
    "en_US": "Sign in with your national ID",
    "fr_FR": "Se connecter avec sa carte d'identité nationale",
    "es_ES": "Entrar con su documento nacional de identidad",
    "ar_001": "تسجيل الدخول ببطاقة الهوية الوطنية",
    "hi_IN": "अपने राष्ट्रीय पहचान पत्र से साइन इन करें",
    "tl_PH": "Mag-sign in gamit ang iyong national ID",
}
_SOCIAL_OFFICE = {
    "en_US": "Sign in with your social office account",
    "fr_FR": "Se connecter avec son compte du bureau social",
    "es_ES": "Entrar con su cuenta de la oficina social",
    "ar_001": "تسجيل الدخول بحساب مكتب الشؤون الاجتماعية",
    "hi_IN": "समाज कल्याण कार्यालय के खाते से साइन इन करें",
    "tl_PH": "Mag-sign in gamit ang account sa social office",
}

CLIENTS = (
    DemoClient(
        "spar-esignet",
        "National ID",
        _NATIONAL_ID,
        "esignet",
        {"algorithms": "PS256", "sequence": 1, "is_offered": True},
        _ESIGNET,
    ),
    DemoClient(
        "spar-keycloak",
        "Social office account",
        _SOCIAL_OFFICE,
        "keycloak",
        {"algorithms": "RS256", "sequence": 2, "is_offered": True},
        {
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": "RS256",
        },
    ),
    DemoClient(
        "spar-esignet-encrypted",
        "National ID, encrypted userinfo",
        {"en_US": "Sign in with your national ID (encrypted)"},
        "esignet",
        {
            "algorithms": "PS256",
            "userinfo_format": "jwe",
            "sequence": 3,
            "is_offered": False,
        },
        {**_ESIGNET, **_ENCRYPTED},
    ),
    DemoClient(
        "spar-pushed",
        "National ID, pushed requests",
        {"en_US": "Sign in with your national ID (pushed)"},
        "esignet",
        {
            "algorithms": "ES256 EdDSA",
            "assertion_algorithm": "ES256",
            "assertion_audience": "issuer",
            "userinfo_format": "json",
            "use_par": True,
            "sequence": 4,
            "is_offered": False,
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
