"""Usual values for common providers; the rest comes from their own description."""

from __future__ import annotations

from dataclasses import dataclass, field

from .settings import ClientAuthentication, UserinfoFormat

#: eSignet returns no claim that is not requested.
_ESIGNET_CLAIMS = (
    '{"userinfo": {"individual_id": {"essential": true}, "name": null, '
    '"phone_number": null, "phone_number_verified": null, '
    '"email": null, "email_verified": null}}'
)
_ACRS = "mosip:idp:acr:biometrics mosip:idp:acr:generated-code"


@dataclass(frozen=True)
class Preset:
    """A kind of provider: its name, and the values of the form."""

    label: str
    values: dict[str, object] = field(default_factory=dict)


PRESETS: dict[str, Preset] = {
    "esignet": Preset(
        "MOSIP eSignet",
        {
            "client_authentication": ClientAuthentication.PRIVATE_KEY_JWT.value,
            "assertion_audience": "endpoint",
            "userinfo_format": UserinfoFormat.SIGNED.value,
            "scope": "openid profile",
            "claims": _ESIGNET_CLAIMS,
            "acr_values": _ACRS,
            "accepted_acrs": _ACRS,
            # eSignet answers prompt=login with an error; max_age is enough.
            "fresh_prompt": "",
            "id_claim": "individual_id",
        },
    ),
    "keycloak": Preset(
        "Keycloak",
        {
            "client_authentication": ClientAuthentication.SECRET_BASIC.value,
            # Keycloak 26.2 and later accept one audience, and recommend this one.
            "assertion_audience": "issuer",
            "userinfo_format": UserinfoFormat.JSON.value,
            "scope": "openid profile email",
            "claims": "",
            "acr_values": "",
            "accepted_acrs": "",
            "fresh_prompt": "login",
            "id_claim": "individual_id",
        },
    ),
    "other": Preset("Other OpenID provider"),
}


def selection() -> list[tuple[str, str]]:
    """Return ``(code, label)`` of each preset."""
    return [(code, preset.label) for code, preset in PRESETS.items()]
