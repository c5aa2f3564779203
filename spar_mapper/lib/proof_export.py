"""One owner's proof as a document, and its verification outside the database.

The document holds everything that is needed, in clear: the change, the signed tokens of
the ID provider, the salt, the rules of the store, and the provider's keys as they were
archived. It needs no key of ours and no network. The digests of its parts name what was
altered; that the change was confirmed rests on the signature alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from odoo.addons.spar_mapper_connector.lib.jose.canonical import canonicalise
from odoo.addons.spar_mapper_connector.lib.jose.keys import encode_base64url, read_jwk
from odoo.addons.spar_mapper_connector.lib.owner_proof import ConfirmedChange
from odoo.addons.spar_mapper_connector.lib.proof_check import (
    EVENT,
    ID_TOKEN,
    PAGE,
    SALT,
    USERINFO,
    FindKeys,
    ProofRefused,
    ProvedPerson,
    check_proof,
)

from .key_archive import ArchivedKey, build_find
from .proofs import KeptProof, is_same_id, read_kept, split_parts, write_kept

FORMAT = 1
#: The parts of a document besides those of the proof.
HISTORY, KEYS = "history", "keys"

#: What each part is to people.
NAMES = {
    ID_TOKEN: "the ID token",
    USERINFO: "the userinfo",
    SALT: "the salt",
    EVENT: "the change",
    PAGE: "the issuer, its rules or the time of the page",
    HISTORY: "the event",
    KEYS: "the issuer's keys",
}
#: A file is verified with its own keys, which whoever made it could have made, too.
WHOSE_KEYS = (
    "It was verified with the keys above, as the export has them. Whose keys they are "
    "does not follow from a file: compare each thumbprint with the issuer's."
)
#: Why a proof does not verify, in words.
REASONS = {
    "malformed": "it cannot be read",
    "algorithm": "its algorithm is not accepted",
    "critical": "it has an extension that is not supported",
    "key": "the issuer had no such key at that time",
    "signature": "its signature is invalid",
    "version": "its version is unknown",
    "issuer": "it is of another issuer",
    "receiver": "it is for another store",
    "audience": "it is for another client",
    "subject": "it is about another person",
    "nonce": "the login was not for this change with this salt",
    "expired": "the login had expired when the change was made",
    "not_yet": "the login is later than the change",
    "acr": "the way to authenticate was not accepted",
    "old_login": "the login is from before the change was shown",
    "claim": "it does not hold the person's ID",
    "person": "the ID in it is not that of the change",
}


@dataclass(frozen=True)
class Verdict:
    """What the verification of a document found; no problem means that it holds."""

    problems: tuple[tuple[str, str], ...]
    person: ProvedPerson | None = None


class ExportUnreadable(ValueError):
    """A file is not an exported proof."""


# === WRITING === #


def build_export(
    kept: KeptProof, history: Mapping[str, object], keys: Sequence[ArchivedKey]
) -> dict[str, Any]:
    """Return the document of a proof.

    :param history: the event's plain columns, as text and numbers
    :param keys: the archived keys that verify it
    """
    document = {
        "format": FORMAT,
        HISTORY: dict(history),
        "kept": json.loads(write_kept(kept)),
        KEYS: [_describe_key(key) for key in keys],
    }
    return {**document, "digests": _digest_parts(document, kept)}


def _describe_key(key: ArchivedKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "algorithms": key.algorithms,
        "jwk": json.loads(key.jwk),
        "certificates": json.loads(key.certificates),
        "first_seen": key.first_seen.isoformat(),
        "last_seen": key.last_seen.isoformat() if key.last_seen else "",
    }


def _digest_parts(document: Mapping[str, Any], kept: KeptProof) -> dict[str, str]:
    parts = {
        **split_parts(kept),
        HISTORY: canonicalise(document[HISTORY]),
        KEYS: canonicalise(document[KEYS]),
    }
    return {
        name: encode_base64url(hashlib.sha256(part).digest())
        for name, part in parts.items()
    }


# === VERIFYING === #


def check_export(text: str) -> Verdict:
    """Return what is wrong with an exported proof; raises ExportUnreadable.

    An altered part is named by its digest. Whatever the digests say, the proof itself
    is verified, too: they are no secret.
    """
    try:
        document = json.loads(text)
        kept = read_kept(json.dumps(document["kept"]))
        happened_at = datetime.fromisoformat(document[HISTORY]["happened_at"])
        issuer = kept.proof.issuer
        keys = [_read_key(each, issuer) for each in document[KEYS]]
        find_keys = build_find(keys, issuer, happened_at)
        present = _digest_parts(document, kept)
        known = dict(document["digests"])
        if document["format"] != FORMAT:
            raise ValueError("format")
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ExportUnreadable("this is not an exported proof") from None
    problems = [
        (name, "altered") for name in present if present[name] != known.get(name)
    ]
    person = None
    try:
        person = verify_kept(kept, find_keys, happened_at)
    except ProofRefused as error:
        problems.append((error.part, error.code))
    return Verdict(tuple(problems), person)


def _read_key(document: dict[str, Any], issuer: str) -> ArchivedKey:
    """Return an exported key, without its place in the archive."""
    return ArchivedKey(
        seq=0,
        issuer=issuer,
        kid=str(document["kid"]),
        thumbprint="",
        algorithms=str(document["algorithms"]),
        jwk=json.dumps(document["jwk"]),
        certificates=json.dumps(document["certificates"]),
        first_seen=datetime.fromisoformat(document["first_seen"]),
        previous="",
    )


def verify_kept(
    kept: KeptProof, find_keys: FindKeys, happened_at: datetime
) -> ProvedPerson:
    """Return who confirmed a stored change; raises ProofRefused.

    :param happened_at: the time of its event, in naive UTC
    """
    moment = happened_at.replace(tzinfo=timezone.utc).timestamp()
    person = check_proof(kept.proof, kept.change, kept.rules, find_keys, moment)
    if not kept.is_token and not is_same_id(person.id_value, kept.change.item):
        raise ProofRefused(USERINFO if kept.proof.userinfo else ID_TOKEN, "person")
    return person


def describe_problem(part: str, code: str) -> str:
    """Return a problem as one line.

    >>> describe_problem("salt", "altered")
    'the salt: it was altered'
    >>> describe_problem("event", "nonce")
    'the change: the login was not for this change with this salt'
    """
    reason = "it was altered" if code == "altered" else REASONS.get(code, code)
    return f"{NAMES.get(part, part)}: {reason}"


def describe_export(text: str, verdict: Verdict) -> list[str]:
    """Return what a verified document proves, as lines."""
    document = json.loads(text)
    kept, history = read_kept(json.dumps(document["kept"])), document[HISTORY]
    change = kept.change
    lines = [
        f"Event {history['uuid']} ({history['kind']}) of {history['happened_at']} UTC.",
        f"Confirmed at {kept.proof.issuer} by the person with the ID "
        f"{verdict.person.id_value if verdict.person else ''}, "
        f"who logged in at {_write_moment(verdict)} UTC.",
        f"The change: {change.operation.value}, for {change.item.id_value}.",
    ]
    lines += _describe_item(change)
    if kept.is_token:
        lines.append(
            "The ID of the change is a token of the store: only the store can compare "
            "it with the ID that the issuer asserted."
        )
    for key in document[KEYS]:
        seen = f"{key['first_seen']} to {key['last_seen']}"
        lines.append(f"Key {key['kid']} of the issuer, seen from {seen} UTC.")
        lines.append(f"Its thumbprint (SHA-256): {_get_thumbprint(key['jwk'])}")
    return [*lines, "The proof is verified.", WHOSE_KEYS]


def _describe_item(change: ConfirmedChange) -> list[str]:
    """Return every other member of what was confirmed, as lines."""
    lines = []
    if change.purpose:
        lines.append(f"Only for the purpose: {change.purpose}")
    if change.base_version is not None:
        lines.append(f"The version that the person saw: {change.base_version}")
    names = {
        "fa": "The address",
        "name": "The name",
        "phone_number": "The phone number",
        "additional_info": "Additional information",
        "asserted_at": "Stated for",
        "period": "The period",
        "seq": "The number of the event",
    }
    for member, name in names.items():
        if value := getattr(change.item, member, None):
            shown = value if isinstance(value, (str, int)) else json.dumps(value)
            lines.append(f"{name}: {shown}")
    return lines


def _get_thumbprint(jwk: dict[str, Any]) -> str:
    return read_jwk(jwk).thumbprint


def _write_moment(verdict: Verdict) -> str:
    seconds = verdict.person.auth_time if verdict.person else 0
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()[:19]
