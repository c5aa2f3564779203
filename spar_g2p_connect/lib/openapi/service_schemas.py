"""The documents besides messages: tokens, keys, directory and own record."""

from __future__ import annotations

from .schemas import Schema, build_list, build_object, one_of, text

_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}


def _build_limit() -> Schema:
    limit = build_object(("limit", "left"), limit=_COUNT, left={"type": "number"})
    return {**limit, "nullable": True}


def _build_participant() -> Schema:
    limits = build_object(
        ("items_a_message",),
        items_a_message=_COUNT,
        calls_a_minute=_build_limit(),
        items_a_minute=_build_limit(),
        items_a_day=_build_limit(),
    )
    return build_object(
        ("sender_id", "profile", "operations", "scope", "limits"),
        sender_id=text(),
        receiver_id=text(),
        state=one_of("active"),
        profile=text(),
        operations=build_list(text()),
        scope=one_of("yes_no", "details"),
        resolves_by_fa=_FLAG,
        own_providers_only=_FLAG,
        extension=build_list(text()),
        callback=text(),
        limits=limits,
    )


def _build_tokens() -> dict[str, Schema]:
    request = build_object(
        ("grant_type",),
        grant_type=one_of("client_credentials"),
        client_id=text(512),
        client_secret=text(512),
        client_assertion_type=text(512),
        client_assertion=text(8192),
        scope=text(512),
    )
    token = build_object(
        ("access_token", "token_type", "expires_in"),
        access_token=text(),
        token_type=one_of("bearer"),
        expires_in=text(),
        scope=text(),
    )
    refused = build_object(
        ("error", "error_description", "errors"),
        error=text(),
        error_description=text(),
        errors=build_list({"type": "object"}),
    )
    return {"TokenRequest": request, "Token": token, "TokenError": refused}


def _build_entry(**members: Schema) -> Schema:
    """Return the schema of an entry with a code and a name.

    An entry may be archived or closed.
    """
    closing = {"closed_on": text(), "close_reason": text(), "successor": text()}
    named = {"code": text(), "name": text(), "archived": _FLAG, **closing}
    return build_object(("code", "name", "archived"), **named, **members)


def _build_page(name: str, entry: Schema) -> Schema:
    return build_object((name,), **{name: build_list(entry), "next": text()})


def _build_directory() -> dict[str, Schema]:
    maybe = text(nullable=True)
    provider = _build_entry(kind=text(), country=maybe, bic=maybe, branches=_COUNT)
    branch = _build_entry(city=maybe, successor_provider=text())
    fa_type = build_object(
        ("code", "name", "parts", "strategies"),
        code=text(),
        name=text(),
        provider_kind=maybe,
        parts=build_list({"type": "object"}),
        strategies=build_list({"type": "object"}),
    )
    return {
        "Providers": _build_page("providers", provider),
        "Branches": _build_page("branches", branch),
        "FaTypes": build_object(("fa_types",), fa_types=build_list(fa_type)),
    }


def build_service_schemas() -> dict[str, Schema]:
    """Return every schema by its name."""
    key = build_object(("kty", "kid", "use", "alg"), kty=text(), kid=text())
    return {
        **_build_tokens(),
        **_build_directory(),
        "Participant": _build_participant(),
        "KeySet": build_object(("keys",), keys=build_list(key)),
        "Health": build_object(("status",), status=one_of("ok")),
    }
