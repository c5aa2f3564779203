"""The client of another mapper against the REST server itself, over HTTP."""

import json
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import (
    RemoteAnswerUnusable,
    RemoteMapperRefuses,
)
from odoo.addons.spar_mapper_connector.lib import outgoing
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    ChangeState,
    LinkRequest,
    Operation,
    Outcome,
    Reference,
    ResolveRequest,
    TransactionReference,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.signing import (
    IN_HTTP_HEADER,
    IN_MESSAGE,
)
from odoo.addons.spar_mapper_connector.lib.passing import build_mark
from odoo.addons.spar_mapper_connector.lib.remote.exchange import TOKENS

from ..const import BASE_PATH
from .common import LoopbackMixin, seal_settings
from .signing import SigningCase

ONE, TWO = "token:remote1@nationalId", "token:remote2@nationalId"
FA, OTHER = "account:1@BANK", "account:2@BANK"
CLIENT = "odoo.addons.spar_mapper_connector.models.remote.spar_mapper_g2p_connect"
ANSWERS_LOGGER = "odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_answers"
BANK = {"name": "Registry Bank", "code": "RB"}


@tagged("post_install", "-at_install")
class TestRemoteBackend(LoopbackMixin, SigningCase):
    """Both sides are in one database; what passes between them is HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.context = CallContext("user:1", "test", Authority.PROGRAMME)
        seal_settings(cls.env, "spar.participant")

    def setUp(self):
        super().setUp()
        # What comes from this server itself is refused, see below.
        self.from_elsewhere = patch(
            f"{CLIENT}.add_mark", lambda passed, mark: (build_mark("elsewhere"),)
        )
        self.startPatcher(self.from_elsewhere)
        self.api = f"{self.base_url()}{BASE_PATH}"
        self.backend = self.make_backend(self.full, signature_place=False)
        self.mapper = self.backend._bind()

    def make_backend(self, participant, **values):
        """Return a backend that calls this server as ``participant``."""
        backend = self.env["spar.mapper.backend"].create(
            {
                "name": "This server",
                "implementation": "spar.mapper.g2p_connect",
                "url": self.api,
                "sender_id": participant.sender_id,
                "token_url": f"{self.api}/oauth2/client/token",
                "client_id": participant.client_id,
                "secret": self.secrets[participant],
                "answer_place": False,
                **values,
            }
        )
        self.addCleanup(TOKENS.forget, backend._get_credentials())
        self.env.flush_all()
        return backend

    def link(self, *pairs, mapper=None):
        requests = [LinkRequest(*pair) for pair in pairs]
        return (mapper or self.mapper)._link_fa(self.context, requests)

    def resolve(self, *ids, mapper=None):
        requests = [ResolveRequest(each) for each in ids]
        return (mapper or self.mapper)._resolve_fa(self.context, requests)

    def walk(self, mapper, first=FA, second=OTHER):
        """Link, change, read and remove an address; check each answer."""
        (linked,) = self.link((ONE, first), mapper=mapper)
        self.assertEqual(linked.outcome, Outcome.LINKED, linked)
        (again,) = self.link((ONE, second), mapper=mapper)
        self.assertEqual(again.outcome, Outcome.ALREADY_LINKED)
        update = mapper._update_fa(self.context, [UpdateRequest(ONE, second)])
        self.assertEqual(update[0].outcome, Outcome.UPDATED)
        (found,) = self.resolve(ONE, mapper=mapper)
        self.assertEqual(found.outcome, Outcome.FOUND)
        self.assertTrue(self.env["spar.fa.strategy"]._is_same_address(found.fa, second))
        (gone,) = mapper._unlink_fa(self.context, [UnlinkRequest(ONE)])
        self.assertEqual(gone.outcome, Outcome.UNLINKED)
        (found,) = self.resolve(ONE, mapper=mapper)
        self.assertEqual(found.outcome, Outcome.NOT_LINKED)
        (missing,) = mapper._update_fa(self.context, [UpdateRequest(ONE, first)])
        self.assertEqual(missing.outcome, Outcome.NOT_LINKED)

    def test_g2p_connect(self):
        self.walk(self.mapper)

    def test_refusals_keep_their_problem(self):
        self.link((ONE, FA))
        (result,) = self.link((ONE, FA))
        self.assertEqual(
            (result.outcome, result.same_fa), (Outcome.ALREADY_LINKED, True)
        )
        (result,) = self.link((ONE, OTHER))
        self.assertIs(result.same_fa, False)
        (result,) = self.link((TWO, "account:1@NOBODY"))
        self.assertEqual(
            (result.outcome, result.problem), (Outcome.INVALID_FA, "provider_unknown")
        )
        (result,) = self.mapper._unlink_fa(self.context, [UnlinkRequest(ONE, OTHER)])
        self.assertEqual(result.outcome, Outcome.FA_MISMATCH)

    def test_by_address_and_by_both(self):
        self.link((ONE, FA))
        by_fa, both, other = self.mapper._resolve_fa(
            self.context,
            [
                ResolveRequest(fa=FA),
                ResolveRequest(ONE, FA),
                ResolveRequest(ONE, OTHER),
            ],
        )
        self.assertEqual(by_fa.outcome, Outcome.FOUND)
        self.assertEqual(by_fa.id_value.lower(), ONE.lower())
        self.assertEqual((both.outcome, both.same_fa), (Outcome.FOUND, True))
        self.assertEqual(other.outcome, Outcome.FA_MISMATCH)

    def test_openg2p_1(self):
        self.full.profile = "openg2p-1.x"
        seal_settings(self.env, "spar.participant")
        backend = self.make_backend(
            self.full,
            signature_place=False,
            dialect="openg2p-1.x",
            url=f"{self.api}/mapper",
        )
        self.walk(backend._bind())

    def test_openg2p_2(self):
        self.full.profile = "openg2p-2.x"
        seal_settings(self.env, "spar.participant")
        self.env["spar.fsp"].create(BANK)
        backend = self.make_backend(
            self.full, signature_place=False, dialect="openg2p-2.x"
        )
        mapper = backend._bind()
        strategies = self.env["spar.fa.strategy"]
        number = strategies.search([("number", "in", (1, 21))], limit=1).number
        texts = [
            self.env["spar.openg2p.addresses"]._write_text(
                number,
                {
                    "account_number": account,
                    "bank_code": "RB",
                    "bank_name": "Registry Bank",
                    "branch_code": "1",
                    "branch_name": "One",
                },
            )
            for account in ("12345678", "87654321")
        ]
        self.walk(mapper, *texts)
        (result,) = self.link((TWO, "no such kind of address"), mapper=mapper)
        self.assertEqual(result.outcome, Outcome.INVALID_FA)

    def test_signed_at_both_places_with_our_own_key(self):
        for participant, place, algorithm in (
            (self.signer, IN_MESSAGE, "ES256"),
            (self.header_signer, IN_HTTP_HEADER, "EdDSA"),
        ):
            backend = self.make_backend(
                participant,
                signature_place=place,
                signature_algorithm=algorithm,
                answer_place=place,
                answer_keys_url=f"{self.api}/.well-known/jwks.json",
            )
            backend.action_make_key()
            self.env["spar.participant.key"].create(
                {
                    "participant_id": participant.id,
                    "key_text": backend.our_public_key,
                }
            )
            seal_settings(self.env, "spar.participant", "spar.participant.key")
            with self.subTest(place=place):
                self.walk(backend._bind())

    def test_without_a_registered_key_our_signature_is_refused(self):
        backend = self.make_backend(self.signer, answer_place=IN_MESSAGE)
        backend.action_make_key()
        with self.assertRaises(RemoteMapperRefuses) as caught:
            self.resolve(ONE, mapper=backend._bind())
        self.assertEqual(caught.exception.reason, "err.signature.invalid")

    def test_a_right_that_is_missing(self):
        backend = self.make_backend(self.bank, signature_place=False)
        request = UnlinkRequest(ONE)
        with self.assertRaises(RemoteMapperRefuses) as caught:
            backend._bind()._unlink_fa(self.context, [request])
        self.assertEqual(caught.exception.reason, "err.request.forbidden")

    def test_details_that_are_not_disclosed(self):
        self.link((ONE, FA))
        backend = self.make_backend(self.bank, signature_place=False)
        (result,) = self.resolve(ONE, mapper=backend._bind())
        self.assertEqual(
            (result.outcome, result.problem), (Outcome.FORBIDDEN, "no_details")
        )
        backend.asks_details = False
        (result,) = self.resolve(ONE, mapper=backend._bind())
        self.assertEqual((result.outcome, result.fa), (Outcome.FOUND, None))

    def test_a_wrong_sender(self):
        backend = self.make_backend(
            self.full, signature_place=False, sender_id="another.example"
        )
        with self.assertRaises(RemoteMapperRefuses) as caught:
            self.resolve(ONE, mapper=backend._bind())
        self.assertEqual(caught.exception.reason, "err.sender_id.invalid")

    def test_an_answer_must_be_signed_where_that_is_agreed(self):
        backend = self.make_backend(
            self.full,
            signature_place=False,
            answer_place=IN_HTTP_HEADER,
            answer_keys_url=f"{self.api}/.well-known/jwks.json",
        )
        with self.assertRaises(RemoteAnswerUnusable) as caught:
            self.resolve(ONE, mapper=backend._bind())
        self.assertEqual(caught.exception.reason, "not_signed")

    def test_an_answer_that_is_lost_is_found_by_the_status(self):
        """The server commits, and its answer is lost on the way."""
        send, paths = outgoing.send, []

        def lose(method, url, **options):
            answer = send(method, url, **options)
            paths.append(url.removeprefix(self.api))
            if paths.count("/mapper/sync/link") == 1 and url.endswith("/link"):
                raise outgoing.AnswerLost("lost")
            return answer

        with patch.object(outgoing, "send", lose):
            (result,) = self.link((ONE, FA))
        self.assertEqual(result.outcome, Outcome.LINKED)
        self.assertEqual(paths[-2:], ["/mapper/sync/link", "/mapper/sync/txn/status"])
        self.assertEqual(self.resolve(ONE)[0].fa, FA)

    def test_the_status_of_an_earlier_transaction(self):
        sent = []
        send = outgoing.send

        def note(method, url, **options):
            if url.endswith("/link"):
                sent.append(json.loads(options["body"]))
            return send(method, url, **options)

        with patch.object(outgoing, "send", note):
            self.link((ONE, FA))
        transaction_id = sent[0]["message"]["transaction_id"]
        reference = TransactionReference(
            Operation.LINK, Reference.TRANSACTION, (transaction_id,)
        )
        status = self.mapper._transaction_status(self.context, reference)
        self.assertTrue(status.is_done)
        (state,) = self.mapper._change_status(
            self.context,
            [f"link:{transaction_id}:{status.items[0]['reference_id']}"],
        )
        self.assertEqual(state.state, ChangeState.APPLIED)

    def test_connection(self):
        action = self.backend.action_test_connection()
        self.assertEqual(action["params"]["type"], "success")

    @mute_logger(ANSWERS_LOGGER)
    def test_a_server_that_asks_itself_in_any_dialect(self):
        before, strict = self.full.profile, self.backend.dialect
        self.link((ONE, FA))
        self.from_elsewhere.stop()
        for dialect, path in (
            (strict, ""),
            ("openg2p-1.x", "/mapper"),
            ("openg2p-2.x", ""),
        ):
            self.full.profile = dialect if dialect != strict else before
            seal_settings(self.env, "spar.participant")
            backend = self.make_backend(
                self.full,
                signature_place=False,
                dialect=dialect,
                url=f"{self.api}{path}",
                asks_details=True,
            )
            mapper = backend._bind()
            with self.subTest(dialect):
                results = self.resolve(ONE, mapper=mapper)
                results += mapper._unlink_fa(self.context, [UnlinkRequest(ONE)])
                for result in results:
                    self.assertEqual(
                        (result.outcome, result.problem),
                        (Outcome.FORBIDDEN, "returned"),
                    )
                with self.assertRaisesRegex(UserError, "asks this server in turn"):
                    backend.action_test_connection()
        self.full.profile = before
        seal_settings(self.env, "spar.participant")
        self.from_elsewhere.start()
        self.assertEqual(self.resolve(ONE)[0].fa, FA)
