"""One HTTP call to another mapper: credentials, signature, and a proved answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ...exceptions import (
    OutgoingError,
    OutgoingRefused,
    RemoteAnswerUnusable,
    RemoteMapperDown,
    RemoteMapperError,
    RemoteMapperRefuses,
)
from .. import outgoing
from ..access_tokens import (
    ASSERTION,
    SECRET,
    AccessTokens,
    NoToken,
    RemoteCredentials,
    SignClaims,
)
from ..g2p_connect import wire_json
from ..g2p_connect.exceptions import MalformedMessage
from ..g2p_connect.signing import (
    SignPayload,
    build_payloads,
    find_signature,
    place_signature,
)
from ..g2p_connect.wire_json import JsonObject
from ..jose.exceptions import KeySetUnavailable, SignatureRefused
from ..jose.keys import PublicKey
from ..jose.signatures import read_signature

MAX_ANSWER = 16 * 1024 * 1024
_TOKEN_SHARE = 0.5

#: ``(kid, algorithm) -> the key of the other mapper``; raises KeySetUnavailable.
FindKey = Callable[[str, str], PublicKey | None]

#: Codes of the protocol that may stand in a refusal; nothing else of it is repeated.
_CODE = re.compile(r"(?:err|rjct)(?:\.[a-z_]{1,32}){1,3}")

#: The tokens of this process.
TOKENS = AccessTokens()


@dataclass(frozen=True)
class RemoteTarget:
    """Where the other mapper is, and what is agreed about proofs.

    :param signature_place: where our messages are signed, "" for not at all
    :param answer_place: where its answers must be signed, "" for not at all
    """

    url: str
    credentials: RemoteCredentials = RemoteCredentials()
    timeout: float = outgoing.TIMEOUT
    signature_place: str = ""
    answer_place: str = ""


@dataclass
class HttpExchange:
    """Calls to one target; every method raises a leaf of RemoteMapperError."""

    target: RemoteTarget
    sign: SignPayload = field(repr=False)
    find_key: FindKey = field(repr=False)
    sign_claims: SignClaims | None = field(default=None, repr=False)
    tokens: AccessTokens = field(default=TOKENS, repr=False)
    #: The header Date of the last answer, to compare clocks.
    answered_at: str = ""

    def post(
        self,
        path: str,
        document: JsonObject,
        timeout: float = 0,
        attempts: int = 1,
        is_proved: bool = True,
    ) -> JsonObject:
        """Return the answer to ``document``, which is signed where that is agreed.

        :param path: the path below the target's URL
        :param attempts: more than one only for what may arrive twice
        :param is_proved: whether the answer must be signed, where that is agreed; an
            acknowledgement has no place for a signature
        """
        document, headers = place_signature(
            self.target.signature_place, document, self.sign
        )
        body = json.dumps(document, ensure_ascii=False).encode()
        headers.append(("Content-Type", "application/json"))
        seconds = timeout or self.target.timeout
        send = partial(self._send, path, dict(headers), body, seconds, attempts)
        answer = send()
        if answer.status == 401 and self.target.credentials.kind in (SECRET, ASSERTION):
            # The token may have been revoked; nothing was done with the message.
            self.tokens.forget(self.target.credentials)
            answer = send()
        return self._read(answer, is_proved)

    # === SENDING === #

    def _send(
        self,
        path: str,
        headers: dict[str, str],
        body: bytes,
        timeout: float,
        attempts: int,
    ) -> outgoing.HttpResponse:
        if not self.target.url:
            raise RemoteMapperRefuses("no_address")
        headers = {**headers, "Accept": "application/json", **self._authenticate()}
        try:
            answer = outgoing.send(
                "POST",
                self.target.url.rstrip("/") + path,
                headers=headers,
                body=body,
                timeout=timeout,
                max_bytes=MAX_ANSWER,
                attempts=attempts,
            )
        except OutgoingError as error:
            raise _convert(error) from None
        self.answered_at = answer.headers.get("date", "")
        return answer

    def _authenticate(self) -> dict[str, str]:
        timeout = self.target.timeout * _TOKEN_SHARE
        try:
            return self.tokens.get_headers(
                self.target.credentials, self.sign_claims, timeout
            )
        except NoToken as error:
            self.answered_at = error.answered_at
            raise RemoteMapperRefuses(str(error)) from None
        except OutgoingError as error:
            raise _convert(error, "token_") from None

    # === READING === #

    def _read(self, answer: outgoing.HttpResponse, is_proved: bool) -> JsonObject:
        if answer.status != 200 and answer.status != 202:
            raise _refuse(answer)
        try:
            document = wire_json.parse(answer.body)
        except MalformedMessage:
            raise RemoteAnswerUnusable("not_json", was_sent=True) from None
        if not isinstance(document, dict):
            raise RemoteAnswerUnusable("not_json", was_sent=True)
        if is_proved and self.target.answer_place:
            self.verify(document, answer.body, answer.headers.get("signature", ""))
        return document

    def verify(self, document: object, raw: bytes, http_signature: str) -> None:
        """Raise RemoteAnswerUnusable unless the other mapper signed ``document``.

        :param raw: the document as it was received
        """
        place = self.target.answer_place
        text = find_signature(place, document, http_signature)
        if not text:
            raise RemoteAnswerUnusable("not_signed", was_sent=True)
        try:
            signature = read_signature(text)
            key = self.find_key(signature.kid, signature.algorithm)
            if key is None:
                raise RemoteAnswerUnusable("unknown_key", was_sent=True)
            signature.verify(build_payloads(place, document, raw), key)
        except SignatureRefused:
            raise RemoteAnswerUnusable("bad_signature", was_sent=True) from None
        except KeySetUnavailable:
            raise RemoteAnswerUnusable("keys_unavailable", was_sent=True) from None


def _convert(error: OutgoingError, prefix: str = "") -> RemoteMapperError:
    reason = f"{prefix}{error.code}"
    was_sent = error.was_sent and not prefix
    if isinstance(error, OutgoingRefused):
        return RemoteMapperRefuses(reason)
    return RemoteMapperDown(reason, was_sent)


#: Statuses by which a server says that it did nothing, but may later.
_LATER = (408, 425, 429)


def _refuse(answer: outgoing.HttpResponse) -> RemoteMapperError:
    """Return the error for an answer that is not a success.

    After an error of the server, or of a proxy, the message may have been processed.
    """
    reason = find_code(answer.body) or f"http_{answer.status}"
    if answer.status >= 500:
        return RemoteMapperDown(f"http_{answer.status}", was_sent=True)
    if answer.status in _LATER:
        return RemoteMapperDown(f"http_{answer.status}")
    if 300 <= answer.status < 400:
        return RemoteMapperRefuses("redirected")
    if answer.status < 300:
        return RemoteAnswerUnusable(reason, was_sent=True)
    return RemoteMapperRefuses(reason)


def find_code(body: bytes) -> str:
    """Return the protocol's code in a refusal, "" for none.

    >>> find_code(b'{"errors": [{"code": "err.signature.invalid"}]}')
    'err.signature.invalid'
    >>> find_code(b'{"message": {"error": {"code": "err.request.forbidden"}}}')
    'err.request.forbidden'
    >>> find_code(b"<html>"), find_code(b'{"errors": [{"code": "token:1"}]}')
    ('', '')
    """
    try:
        document = wire_json.parse(body)
    except MalformedMessage:
        return ""
    if not isinstance(document, dict):
        return ""
    errors, message = document.get("errors"), document.get("message")
    found = errors[0] if isinstance(errors, list) and errors else None
    if found is None and isinstance(message, dict):
        found = message.get("error")
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
