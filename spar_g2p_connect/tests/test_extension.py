"""Another SPAR's calls: the operations beyond G2P Connect, over HTTP."""

from datetime import datetime, timedelta

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.spar_g2p_connect.models.participant.spar_participant_rights import (
    EXTENSION_RIGHTS,
    RIGHTS_FIELDS,
)
from odoo.addons.spar_mapper_connector.lib.confirmation import ChangeProposal
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    Capability,
    ChangeState,
    LinkRequest,
    ObjectionRequest,
    Outcome,
    PaymentState,
    Remedy,
    ResolveRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.spar_wire.calls import RemoteCall
from odoo.addons.spar_mapper_connector.lib.spar_wire.messages import (
    Parties,
    build_message,
    read_answer,
)
from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import OPERATIONS
from odoo.addons.spar_mapper_connector.lib.spar_wire.records import (
    AbilitiesRequest,
    ChangeReference,
    ConfirmationReference,
    IdRequest,
    MomentRequest,
    NoticeToken,
    OwnRequest,
    StandingRequest,
)

from .common import EVERY_RIGHT, RestCase, seal_settings

#: A portal has none of the other rights: see ``test_portal_reading``.
EVERY_EXTENSION = {name: name != "may_read_own" for name in EXTENSION_RIGHTS}
PROGRAMME = RemoteCall(Authority.PROGRAMME, "registry", "user:7", "Asked at the desk")
LONG_AGO = datetime(2020, 1, 1)

#: Operation -> a request that is valid, whoever sends it.
REQUESTS = {
    "capabilities": AbilitiesRequest(),
    "link": LinkRequest("token:1@nationalId", "account:1@BANK"),
    "update": UpdateRequest("token:1@nationalId", "account:1@BANK"),
    "unlink": UnlinkRequest("token:1@nationalId"),
    "suspend": SuspendRequest("token:1@nationalId"),
    "resume": ResumeRequest("token:1@nationalId"),
    "resolve": ResolveRequest("token:1@nationalId"),
    "standing": StandingRequest("token:1@nationalId"),
    "change-status": ChangeReference("no-such-change"),
    "history": IdRequest("token:1@nationalId"),
    "address-at": MomentRequest("token:1@nationalId", LONG_AGO),
    "waiting-changes": IdRequest("token:1@nationalId"),
    "object": ObjectionRequest("token:1@nationalId", "no-such-period", 1),
    "notice": NoticeToken("no-such-notice"),
    "object-to-notice": NoticeToken("no-such-notice"),
    "own-address": OwnRequest("token:1@nationalId", "https://id.example", "x.y.z"),
    "lock": OwnRequest("token:1@nationalId", "https://id.example", "x.y.z"),
    "propose": ChangeProposal(
        UnlinkRequest("token:1@nationalId", expected_version=1),
        "draft",
        "https://portal.example/confirmed",
    ),
    "confirmation": ConfirmationReference("no-such-proposal"),
    "end-visit": ConfirmationReference("no-such-visit"),
}
#: Operation -> the right that it takes beside the one to call at all.
RIGHTS = {
    "link": "may_link",
    "update": "may_update",
    "unlink": "may_unlink",
    "resolve": "may_resolve",
    "suspend": "may_suspend",
    "resume": "may_suspend",
    "standing": "may_read_standing",
    "history": "may_read_history",
    "address-at": "may_read_history",
    "waiting-changes": "may_read_waiting",
    "object": "may_object",
    "notice": "may_object",
    "object-to-notice": "may_object",
    "own-address": "may_read_own",
    "lock": "may_object",
    "propose": "may_propose",
    "confirmation": "may_propose",
    "end-visit": "may_read_own",
}


def key(number):
    return f"token:{number}@nationalId"


def account(number):
    return f"account:{number}@BANK"


class ExtensionCase(RestCase):
    """``spar`` is another SPAR with every right; ``blind`` sees no addresses."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rights = {**EVERY_RIGHT, **EVERY_EXTENSION, "authority": "programme"}
        cls.spar = cls.make_participant("spar2.example", **rights)
        hidden = {"scope": "yes_no", "may_read_history": False}
        cls.blind = cls.make_participant(
            "registry.example", **rights | hidden | {"may_read_waiting": False}
        )

    def post(self, participant, name, document, **headers):
        """Return the response to ``document`` at an operation's path."""
        token = self.get_token(participant)
        headers = {"Authorization": f"Bearer {token}", **headers}
        path = f"/extension/{name}"
        return self.open(path, document, Content_Type="application/json", **headers)

    def build(self, participant, name, *requests, call=PROGRAMME, **header):
        parties = Parties(participant.sender_id, "spar.example")
        document = build_message(OPERATIONS[name], parties, call, requests)
        document["header"].update(header)
        return document

    def query(self, participant, name, *requests, call=PROGRAMME):
        """Return the answers to valid requests; those of an error as its word."""
        document = self.build(participant, name, *requests, call=call)
        return self.read_found(name, self.post(participant, name, document), document)

    def read_found(self, name, response, document):
        self.assertEqual(response.status_code, 200, response.text)
        items = read_answer(response.json(), OPERATIONS[name], document)
        return [item.error or item.answer for item in items]

    def one(self, participant, name, request, **more):
        (answer,) = self.query(participant, name, request, **more)
        return answer

    def give(self, number, participant=None):
        """Link an ID to the account with its own number."""
        request = LinkRequest(key(number), account(number))
        result = self.one(participant or self.spar, "link", request)
        self.assertEqual(result.outcome, Outcome.LINKED)
        return result

    def get_newest_authority(self):
        """Return the authority behind the newest change."""
        self.env.cr.execute(
            """SELECT p.authority FROM spar_mapping_period p
                 JOIN spar_event e ON e.period_id = p.id ORDER BY e.id DESC LIMIT 1"""
        )
        (found,) = self.env.cr.fetchone()
        return Authority(int(found))

    def get_history(self, number):
        return self.one(self.spar, "history", IdRequest(key(number))).periods


@tagged("post_install", "-at_install")
class TestRefused(ExtensionCase):
    """No route answers a participant without its right."""

    def set_rights(self, participant, **values):
        participant.sudo().write(values)
        seal_settings(self.env, "spar.participant")

    def make(self, name, **values):
        return self.make_participant(name, **EVERY_RIGHT | EVERY_EXTENSION | values)

    def test_every_operation_is_tested(self):
        self.assertEqual(set(REQUESTS), set(OPERATIONS))
        self.assertEqual(
            set(RIGHTS), set(OPERATIONS) - {"capabilities", "change-status"}
        )

    def test_every_route_without_the_right_of_another_spar(self):
        for name, request in REQUESTS.items():
            with self.subTest(name):
                document = self.build(self.full, name, request)
                response = self.post(self.full, name, document)
                self.assertHttpError(response, 403, "err.request.forbidden")

    def test_every_route_without_its_own_right(self):
        for number, (name, right) in enumerate(RIGHTS.items()):
            with self.subTest(name):
                lacking = self.make(f"lacking{number}.example", **{right: False})
                document = self.build(lacking, name, REQUESTS[name])
                response = self.post(lacking, name, document)
                self.assertHttpError(response, 403, "err.request.forbidden")

    def test_every_route_without_a_token(self):
        for name, request in REQUESTS.items():
            with self.subTest(name):
                document = self.build(self.spar, name, request)
                response = self.open(
                    f"/extension/{name}", document, Content_Type="application/json"
                )
                self.assertHttpError(response, 401, "err.request.unauthorized")

    def test_token_can_be_narrowed_to_one_right(self):
        answer = self.request_token(self.spar, scope="spar.versions spar.history")
        token = answer.json()["access_token"]
        self.assertEqual(answer.json()["scope"], "spar.history spar.versions")
        for name, status in (("history", 200), ("standing", 403), ("link", 403)):
            with self.subTest(name):
                self.tokens[self.spar] = token
                document = self.build(self.spar, name, REQUESTS[name])
                response = self.post(self.spar, name, document)
                self.assertEqual(response.status_code, status)
        del self.tokens[self.spar]

    def test_token_for_the_mapper_is_none_for_the_extension(self):
        answer = self.request_token(self.spar, scope="mapper.link")
        self.tokens[self.spar] = answer.json()["access_token"]
        self.addCleanup(self.tokens.pop, self.spar)
        for name in ("link", "history"):
            response = self.post(
                self.spar, name, self.build(self.spar, name, REQUESTS[name])
            )
            self.assertHttpError(response, 403, "err.request.forbidden")

    def test_other_sender(self):
        document = self.build(self.spar, "history", IdRequest(key(1)), sender_id="x")
        response = self.post(self.spar, "history", document)
        self.assertHttpError(response, 403, "err.sender_id.invalid")

    def test_message_of_another_path(self):
        document = self.build(self.spar, "resolve", ResolveRequest(key(1)))
        header = self.post(self.spar, "standing", document).json()["header"]
        self.assertEqual(header["status_reason_code"], "rjct.action.invalid")

    def test_message_of_g2p_connect(self):
        document = self.build(self.spar, "link", REQUESTS["link"], action="link")
        header = self.post(self.spar, "link", document).json()["header"]
        self.assertEqual(header["status_reason_code"], "rjct.action.not_supported")

    def test_stale_message(self):
        stale = "2026-01-01T00:00:00.000+00:00"
        document = self.build(self.spar, "link", REQUESTS["link"], message_ts=stale)
        header = self.post(self.spar, "link", document).json()["header"]
        self.assertEqual(header["status_reason_code"], "rjct.message_ts.invalid")

    def test_profile_relaxes_nothing(self):
        lenient = self.make("lenient.example", profile="openg2p-1.x")
        document = self.build(lenient, "link", REQUESTS["link"], total_count=7)
        header = self.post(lenient, "link", document).json()["header"]
        self.assertEqual(header["status_reason_code"], "rjct.total_count.invalid")
        document = self.build(lenient, "link", REQUESTS["link"], sender_id="string")
        response = self.post(lenient, "link", document)
        self.assertHttpError(response, 403, "err.sender_id.invalid")

    def test_limits_apply(self):
        slow = self.make("slow.example", daily_item_limit=2)
        requests = [ResolveRequest(key(n)) for n in range(3)]
        response = self.post(slow, "resolve", self.build(slow, "resolve", *requests))
        self.assertHttpError(response, 429, "err.request.too_many_requests")
        requests = [StandingRequest(key(n)) for n in range(3)]
        response = self.post(slow, "standing", self.build(slow, "standing", *requests))
        self.assertHttpError(response, 429, "err.request.too_many_requests")

    def test_refusals_are_recorded(self):
        request = REQUESTS["history"]
        document = self.build(self.spar, "history", request, total_count=7)
        self.post(self.spar, "history", document)
        message = self.env["spar.message"].search([("state", "=", "refused")])
        self.assertEqual(message.action, "spar-history")
        self.assertEqual(message.reason_code, "rjct.total_count.invalid")

    def test_get(self):
        response = self.open("/extension/history", method="GET")
        self.assertHttpError(response, 405, "err.request.bad")

    def test_unknown_operation(self):
        response = self.post(self.spar, "everything", {})
        self.assertHttpError(response, 404, "err.request.not_found")

    def test_rights_take_two_people(self):
        self.assertLessEqual(set(EXTENSION_RIGHTS), set(RIGHTS_FIELDS))
        self.assertLessEqual(set(EXTENSION_RIGHTS), set(self.full._guarded_fields))

    def test_right_without_spar_to_spar(self):
        with self.assertRaises(ValidationError):
            self.make("odd.example", may_use_extension=False)

    def test_history_without_details(self):
        for name in ("may_read_history", "may_read_waiting"):
            others = dict.fromkeys(("may_read_history", "may_read_waiting"), False)
            with self.subTest(name), self.assertRaises(ValidationError):
                self.make("odd.example", scope="yes_no", **others | {name: True})

    def test_token_alone_resolves_only(self):
        networks = {
            "proof": "token",
            "demo_only": False,
            "origin_networks": "127.0.0.1",
        }
        weak = self.make("weak.example", **networks)
        for name in ("history", "standing", "link", "resolve"):
            with self.subTest(name):
                document = self.build(weak, name, REQUESTS[name])
                response = self.post(weak, name, document)
                self.assertHttpError(response, 403, "err.request.forbidden")


@tagged("post_install", "-at_install")
class TestCapabilities(ExtensionCase):
    def test_they_are_what_the_participant_may_do(self):
        abilities = self.one(self.spar, "capabilities", AbilitiesRequest())
        everything = set(Capability) - {
            Capability.TRANSACTION_STATUS,
            Capability.DIRECTORY,
            # Of a store with a page of its own, and of portals.
            Capability.CONFIRMATION,
            Capability.CHANGE_LOCK,
            Capability.OWN_ADDRESS,
            Capability.VISIT,
        }
        self.assertEqual(abilities.capabilities, everything)
        self.assertTrue(abilities.sees_details)
        self.assertEqual(abilities.max_items, self.spar.max_items)

    def test_they_lack_what_it_may_not_do(self):
        abilities = self.one(self.blind, "capabilities", AbilitiesRequest())
        for lacking in (Capability.HISTORY, Capability.WAITING_CHANGES):
            self.assertNotIn(lacking, abilities.capabilities)
        self.assertFalse(abilities.sees_details)

    def test_own_record_names_them(self):
        headers = {"Authorization": f"Bearer {self.get_token(self.blind)}"}
        record = self.open("/participant", method="GET", **headers).json()
        self.assertIn("suspend", record["extension"])
        self.assertNotIn("history", record["extension"])


@tagged("post_install", "-at_install")
class TestChanges(ExtensionCase):
    def test_link_update_unlink_with_versions(self):
        self.assertEqual(self.give(1).version, 1)
        update = UpdateRequest(key(1), account(2), expected_version=1)
        self.assertEqual(self.one(self.spar, "update", update).version, 2)
        stale = UpdateRequest(key(1), account(3), expected_version=1)
        result = self.one(self.spar, "update", stale)
        self.assertEqual(result.outcome, Outcome.CONFLICT)
        unlink = UnlinkRequest(key(1), expected_version=2)
        result = self.one(self.spar, "unlink", unlink)
        self.assertEqual(result.outcome, Outcome.UNLINKED)

    def test_addresses_for_two_purposes(self):
        for purpose in ("", "school"):
            request = LinkRequest(key(1), account(f"9{len(purpose)}"), purpose=purpose)
            result = self.one(self.spar, "link", request)
            self.assertEqual(result.outcome, Outcome.LINKED)
        found = self.query(
            self.spar,
            "resolve",
            ResolveRequest(key(1)),
            ResolveRequest(key(1), purpose="school"),
        )
        self.assertEqual([r.fa for r in found], [account("90"), account("96")])

    def test_suspend_and_resume(self):
        self.give(1)
        result = self.one(self.spar, "suspend", SuspendRequest(key(1)))
        self.assertEqual(result.outcome, Outcome.SUSPENDED)
        found = self.one(self.spar, "resolve", ResolveRequest(key(1)))
        self.assertEqual((found.outcome, found.fa), (Outcome.SUSPENDED, None))
        result = self.one(self.spar, "resume", ResumeRequest(key(1)))
        self.assertEqual(result.outcome, Outcome.RESUMED)
        found = self.one(self.spar, "resolve", ResolveRequest(key(1)))
        self.assertEqual((found.outcome, found.fa), (Outcome.FOUND, account(1)))

    def test_bad_items_leave_the_others_alone(self):
        document = self.build(
            self.spar,
            "link",
            LinkRequest(key(1), account(1)),
            LinkRequest("null", account(2)),
            LinkRequest(key(3), "nonsense"),
            LinkRequest(key(4), account(4)),
        )
        document["message"]["requests"][3]["request"]["id"] = 4
        response = self.post(self.spar, "link", document)
        outcomes = [
            result.outcome for result in self.read_found("link", response, document)
        ]
        self.assertEqual(
            outcomes,
            [
                Outcome.LINKED,
                Outcome.INVALID_ID,
                Outcome.INVALID_FA,
                Outcome.INVALID_ID,
            ],
        )

    def test_repeated_message_gets_the_stored_answer(self):
        document = self.build(self.spar, "link", LinkRequest(key(1), account(1)))
        first = self.post(self.spar, "link", document).json()
        self.assertEqual(self.post(self.spar, "link", document).json(), first)
        self.assertEqual(len(self.get_history(1)), 1)
        messages = self.env["spar.message"].search([("action", "=", "spar-link")])
        self.assertEqual(len(messages), 1)
        self.assertEqual((messages.state, messages.item_count), ("done", 1))

    def test_other_message_under_the_same_id(self):
        document = self.build(self.spar, "link", LinkRequest(key(1), account(1)))
        self.post(self.spar, "link", document)
        document["message"]["requests"][0]["request"]["fa"] = account(2)
        header = self.post(self.spar, "link", document).json()["header"]
        self.assertEqual(header["status_reason_code"], "rjct.message_id.duplicate")

    def test_message_id_of_g2p_connect_is_taken(self):
        self.send(
            self.spar,
            "link",
            [
                {
                    "reference_id": "1",
                    "timestamp": "2026-03-01T10:00:00Z",
                    "id": key(1),
                    "fa": account(1),
                }
            ],
            message_id="one-and-the-same",
        )
        document = self.build(
            self.spar, "unlink", UnlinkRequest(key(1)), message_id="one-and-the-same"
        )
        header = self.post(self.spar, "unlink", document).json()["header"]
        self.assertEqual(header["status_reason_code"], "rjct.message_id.duplicate")

    def test_reading_is_not_stored(self):
        self.give(1)
        before = self.env["spar.message"].search_count([])
        for name in ("resolve", "standing", "history", "capabilities"):
            self.one(self.spar, name, REQUESTS[name])
        self.assertEqual(self.env["spar.message"].search_count([]), before)

    def test_authority_is_at_most_the_participants(self):
        for claimed in (Authority.OWNER, Authority.STAFF):
            with self.subTest(claimed):
                number = int(claimed)
                request = LinkRequest(key(number), account(number))
                self.one(self.spar, "link", request, call=RemoteCall(claimed))
                self.assertEqual(self.get_newest_authority(), Authority.PROGRAMME)

    def test_authority_may_be_less(self):
        request = LinkRequest(key(1), account(1))
        self.one(self.spar, "link", request, call=RemoteCall(Authority.INSTITUTION))
        self.assertEqual(self.get_newest_authority(), Authority.INSTITUTION)

    def test_staff_are_opaque_references(self):
        self.give(1)
        (period,) = self.get_history(1)
        event = period.events[0]
        self.assertEqual(event.actor, "participant:spar2.example")
        self.assertEqual(event.on_behalf_of, "registry/user:7")
        self.assertEqual((event.channel, event.reason), ("rest", "Asked at the desk"))

    def test_name_instead_of_a_reference_is_refused(self):
        document = self.build(self.spar, "link", REQUESTS["link"])
        document["message"]["call"]["on_behalf_of"] = "Maria Santos"
        response = self.post(self.spar, "link", document)
        self.assertHttpError(response, 400, "err.request.bad", "message.call")
        self.assertNotIn("Maria", response.text)

    def test_reason_that_mentions_the_account_is_refused(self):
        for reason in ("to account 11-22 33", "of 77 88-99"):
            request = LinkRequest(key(778899), account(112233))
            call = RemoteCall(reason=reason)
            document = self.build(self.spar, "link", request, call=call)
            response = self.post(self.spar, "link", document)
            self.assertHttpError(response, 400, "err.request.bad", "call.reason")
        self.assertEqual(self.get_history(778899), ())

    def test_held_change_and_its_end(self):
        """A programme does not overwrite what a person stored: it waits for staff."""
        self.give(1)
        result = self.hold(1)
        self.assertEqual(result.outcome, Outcome.HELD)
        self.assertTrue(result.reference)
        (waiting,) = self.one(self.spar, "waiting-changes", IdRequest(key(1))).changes
        self.assertEqual(waiting.fa, account("99"))
        own, other = self.query(
            self.spar,
            "change-status",
            ChangeReference(result.reference),
            ChangeReference("00000000-0000-0000-0000-000000000000"),
        )
        self.assertEqual(own.state, ChangeState.WAITING)
        self.assertEqual(other.state, ChangeState.UNKNOWN)

    def hold(self, number):
        request = UpdateRequest(key(number), account("99"))
        institution = RemoteCall(Authority.INSTITUTION)
        return self.one(self.spar, "update", request, call=institution)


@tagged("post_install", "-at_install")
class TestReading(ExtensionCase):
    def test_resolve_without_details_shows_no_address_and_no_version(self):
        self.give(1)
        found = self.one(self.blind, "resolve", ResolveRequest(key(1)))
        self.assertEqual(found.outcome, Outcome.FOUND)
        self.assertEqual((found.fa, found.version, found.id_value), (None,) * 3)

    def test_whether_both_belong_together_is_for_details(self):
        self.give(1)
        both = ResolveRequest(key(1), account(1))
        result = self.one(self.blind, "resolve", both)
        self.assertEqual(result.outcome, Outcome.FORBIDDEN)
        self.assertEqual(self.one(self.spar, "resolve", both).outcome, Outcome.FOUND)

    def test_refused_change_shows_no_address(self):
        self.give(1)
        request = LinkRequest(key(1), account(2))
        result = self.one(self.blind, "link", request)
        self.assertEqual(result.outcome, Outcome.ALREADY_LINKED)
        shown = (result.fa, result.same_fa, result.version, result.problem)
        self.assertEqual(shown, (None, None, None, ""))

    def test_own_change_shows_its_version(self):
        self.assertEqual(self.give(1, self.blind).version, 1)

    def test_standing(self):
        self.give(1)
        self.give(2)
        self.one(self.spar, "suspend", SuspendRequest(key(2)))
        found = self.query(
            self.blind, "standing", *(StandingRequest(key(n)) for n in (1, 2, 3))
        )
        self.assertEqual(
            [each.state for each in found],
            [PaymentState.PAYABLE, PaymentState.STOPPED, PaymentState.NOT_LINKED],
        )
        self.assertEqual([each.id_value for each in found], [key(1), key(2), key(3)])

    def test_standing_by_purpose_in_one_message(self):
        self.give(1)
        found = self.query(
            self.blind,
            "standing",
            StandingRequest(key(9), "school"),
            StandingRequest(key(1)),
            StandingRequest("null"),
        )
        self.assertEqual(
            [each.state for each in found],
            [PaymentState.NOT_LINKED, PaymentState.PAYABLE, PaymentState.INVALID_ID],
        )

    def test_types_of_id_apply_everywhere(self):
        self.give(1)
        other = self.env["spar.id.type"].create(
            {
                "name": "Elsewhere",
                "code": "elsewhere",
                "strategy": "other:{sub}@elsewhere",
            }
        )
        narrow = self.make_participant(
            "narrow.example",
            **EVERY_RIGHT | EVERY_EXTENSION | {"id_type_ids": [(4, other.id)]},
        )
        seal_settings(self.env, "spar.id.type")
        found = self.one(narrow, "resolve", ResolveRequest(key(1)))
        self.assertEqual(found.outcome, Outcome.INVALID_ID)
        standing = self.one(narrow, "standing", StandingRequest(key(1)))
        self.assertEqual(standing.state, PaymentState.INVALID_ID)
        self.assertEqual(self.one(narrow, "history", IdRequest(key(1))).periods, ())
        moment = MomentRequest(key(1), datetime.now() + timedelta(1))
        self.assertIsNone(self.one(narrow, "address-at", moment).period)
        period = self.get_history(1)[0]
        dispute = ObjectionRequest(key(1), period.uuid, period.events[0].seq)
        self.assertEqual(self.one(narrow, "object", dispute), "no_such_event")

    def make_elsewhere(self):
        """Return a backend elsewhere, and the type of the IDs of these tests."""
        elsewhere = self.env["spar.mapper.backend"].create(
            {"name": "Elsewhere", "implementation": "spar.mapper.g2p_connect"}
        )
        return elsewhere, self.env.ref("spar_mapper_connector.id_type_national_id")

    def test_store_that_is_not_the_default_answers_what_is_its_own(self):
        self.give(1)
        elsewhere, national = self.make_elsewhere()
        national.backend_id = self.env["spar.mapper.backend"].search(
            [("is_default", "=", True)]
        )
        elsewhere.is_default = True
        seal_settings(self.env, "spar.id.type", "spar.mapper.backend")
        for request in (ResolveRequest(key(1)), ResolveRequest(fa=account(1))):
            found = self.one(self.spar, "resolve", request)
            self.assertEqual(found.outcome, Outcome.FOUND)
        for name in ("notice", "object-to-notice"):
            answer = self.one(self.spar, name, REQUESTS[name])
            self.assertEqual(answer, "no_such_notice")
        found = self.one(self.spar, "resolve", ResolveRequest("token:1@nobody"))
        self.assertEqual(found.problem, "not_supported")

    def test_ids_whose_type_names_another_mapper(self):
        """Nothing is passed on, and what the store still has is not shown."""
        self.give(1)
        elsewhere, national = self.make_elsewhere()
        national.backend_id = elsewhere
        seal_settings(self.env, "spar.id.type", "spar.mapper.backend")
        for name in ("link", "update", "unlink", "suspend", "resume", "resolve"):
            with self.subTest(name):
                found = self.one(self.spar, name, REQUESTS[name])
                self.assertEqual(
                    (found.outcome, found.problem),
                    (Outcome.FORBIDDEN, "not_supported"),
                )
        standing = self.one(self.spar, "standing", REQUESTS["standing"])
        self.assertEqual(standing.state, PaymentState.UNKNOWN)
        for name in ("history", "address-at", "waiting-changes", "object"):
            with self.subTest(name):
                answer = self.one(self.spar, name, REQUESTS[name])
                self.assertEqual(answer, "not_supported")
        found = self.one(self.spar, "resolve", ResolveRequest(fa=account(1)))
        self.assertEqual((found.outcome, found.id_value), (Outcome.NOT_LINKED, None))

    def test_history_and_address_at(self):
        self.give(1)
        self.one(self.spar, "update", UpdateRequest(key(1), account(2)))
        newest, oldest = self.get_history(1)
        self.assertEqual((newest.fa, oldest.fa), (account(2), account(1)))
        asked = MomentRequest(key(1), oldest.valid_from)
        found = self.one(self.spar, "address-at", asked).period
        self.assertEqual((found.fa, found.state), (account(1), "active"))
        before = MomentRequest(key(1), LONG_AGO)
        self.assertIsNone(self.one(self.spar, "address-at", before).period)

    def test_history_of_an_unknown_id_is_empty_and_counts_as_unknown(self):
        self.assertEqual(self.get_history(404), ())
        usage = self.env["spar.participant.usage"].search(
            [("participant_id", "=", self.spar.id)]
        )
        self.assertEqual((usage.not_found, usage.other_items), (1, 1))

    def test_reasons_of_others_are_not_shown(self):
        self.give(1)
        reader = self.make_participant(
            "reader.example", **EVERY_RIGHT | EVERY_EXTENSION
        )
        (period,) = self.one(reader, "history", IdRequest(key(1))).periods
        event = period.events[0]
        self.assertEqual((event.reason, event.message_reference), ("", ""))
        self.assertEqual(event.actor, "participant:spar2.example")


@tagged("post_install", "-at_install")
class TestObjections(ExtensionCase):
    def dispute(self, participant, **more):
        self.give(1)
        self.one(self.spar, "update", UpdateRequest(key(1), account(2)))
        newest = self.get_history(1)[0]
        request = ObjectionRequest(key(1), newest.uuid, newest.events[0].seq)
        return request, self.one(participant, "object", request, **more)

    def test_objection_freezes_and_undoes_nothing(self):
        """Whatever the other side says: it is not the person's own login."""
        owner = RemoteCall(Authority.OWNER, "person:" + "a" * 32)
        _request, answer = self.dispute(self.spar, call=owner)
        self.assertEqual(answer.remedy, Remedy.FROZEN)
        self.assertTrue(answer.needs_login)
        self.assertEqual(self.get_history(1)[0].fa, account(2))
        change = UpdateRequest(key(1), account(3))
        result = self.one(self.spar, "update", change)
        self.assertNotEqual(result.outcome, Outcome.UPDATED)

    def test_objection_twice_is_one_case(self):
        request, answer = self.dispute(self.spar)
        self.assertEqual(self.one(self.spar, "object", request), answer)
        self.assertEqual(self.env["spar.objection"].search_count([]), 1)

    def test_event_that_does_not_exist(self):
        self.give(1)
        for request in (
            ObjectionRequest(key(1), "no-such-period", 1),
            ObjectionRequest(key(2), "no-such-period", 1),
            ObjectionRequest("null", "no-such-period", 1),
        ):
            answer = self.one(self.spar, "object", request)
            self.assertEqual(answer, "no_such_event")

    def test_notice_that_does_not_exist(self):
        for name in ("notice", "object-to-notice"):
            answer = self.one(self.spar, name, NoticeToken("x" * 43))
            self.assertEqual(answer, "no_such_notice")
