import psycopg2
from werkzeug import exceptions as http_exceptions

from odoo.exceptions import AccessError, LockError, MissingError, UserError
from odoo.tests import BaseCase

from odoo.addons.spar_g2p_connect import exceptions
from odoo.addons.spar_g2p_connect.lib.error_answers import build_error_answer
from odoo.addons.spar_mapper_connector.exceptions import (
    KeyringMismatch,
    KeyringUnavailable,
    SealBroken,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import (
    EncryptionNotSupported,
    MalformedMessage,
)

SECRET = "account:4711@BANK"

#: (exception, HTTP status, the protocol's code)
CASES = [
    (MalformedMessage("is missing", "header"), 400, "err.request.bad"),
    (EncryptionNotSupported("not here", "message"), 400, "err.encryption.invalid"),
    (exceptions.MissingToken(), 401, "err.request.unauthorized"),
    (exceptions.ExpiredToken(), 401, "err.request.unauthorized"),
    (exceptions.InvalidClient(), 401, "err.request.unauthorized"),
    (exceptions.OperationNotGranted(), 403, "err.request.forbidden"),
    (exceptions.ForeignSender(), 403, "err.sender_id.invalid"),
    (exceptions.DailyLimitReached(7), 429, "err.request.too_many_requests"),
    (exceptions.NoSuchDatabase(), 404, "err.request.not_found"),
    (KeyringUnavailable(SECRET), 503, "err.service.unavailable"),
    (KeyringMismatch(SECRET), 503, "err.service.unavailable"),
    (psycopg2.OperationalError(SECRET), 503, "err.service.unavailable"),
    (psycopg2.InterfaceError(SECRET), 503, "err.service.unavailable"),
    (psycopg2.errors.SerializationFailure(SECRET), 503, "err.service.unavailable"),
    (psycopg2.IntegrityError(SECRET), 500, "err.service.unavailable"),
    (http_exceptions.BadRequest(SECRET), 400, "err.request.bad"),
    (http_exceptions.NotFound(SECRET), 404, "err.request.not_found"),
    (http_exceptions.MethodNotAllowed(["POST"]), 405, "err.request.bad"),
    (http_exceptions.RequestTimeout(SECRET), 408, "err.request.timeout"),
    (http_exceptions.RequestEntityTooLarge(SECRET), 413, "err.request.bad"),
    (http_exceptions.UnsupportedMediaType(SECRET), 415, "err.request.bad"),
    (http_exceptions.ImATeapot(SECRET), 500, "err.service.unavailable"),
    (AccessError(SECRET), 403, "err.request.forbidden"),
    (MissingError(SECRET), 404, "err.request.not_found"),
    (LockError(SECRET), 409, "err.service.unavailable"),
    (UserError(SECRET), 500, "err.service.unavailable"),
    (SealBroken(SECRET), 500, "err.service.unavailable"),
    (ValueError(SECRET), 500, "err.service.unavailable"),
    (RecursionError(), 500, "err.service.unavailable"),
]


class TestErrorAnswers(BaseCase):
    def test_every_exception_has_its_status_and_code(self):
        for exception, status, code in CASES:
            with self.subTest(type(exception).__name__):
                answer = build_error_answer(exception)
                self.assertEqual(answer[0], status)
                self.assertEqual(answer[2]["errors"][0]["code"], code)

    def test_texts_of_foreign_exceptions_are_not_disclosed(self):
        for exception, _status, _code in CASES:
            with self.subTest(type(exception).__name__):
                self.assertNotIn("4711", str(build_error_answer(exception)))

    def test_headers_of_http_are_kept(self):
        method = build_error_answer(http_exceptions.MethodNotAllowed(["POST"]))
        self.assertIn(("Allow", "POST"), method[1])
        limit = build_error_answer(exceptions.DailyLimitReached(7))
        self.assertEqual(limit[1], [("Retry-After", "7")])
        token = build_error_answer(exceptions.MissingToken())
        self.assertEqual(token[1], [("WWW-Authenticate", 'Bearer realm="spar"')])

    def test_no_content_type_of_an_html_page(self):
        names = {
            n.lower() for n, _v in build_error_answer(http_exceptions.NotFound())[1]
        }
        self.assertNotIn("content-type", names)

    def test_token_errors_have_both_forms(self):
        document = build_error_answer(exceptions.UnsupportedGrantType())[2]
        self.assertEqual(document["error"], "unsupported_grant_type")
        self.assertEqual(document["errors"][0]["code"], "err.request.bad")

    def test_long_texts_are_cut(self):
        error = exceptions.RequestRefused("err.request.bad", "x" * 5000)
        document = build_error_answer(error)[2]
        self.assertEqual(len(document["errors"][0]["message"]), 999)
