"""A portal elsewhere proposes changes: over the wire, with a right of its own."""

from contextlib import contextmanager

from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    NotSupported,
    ProposalRefused,
)
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    ChangeProposal,
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    Details,
    LinkRequest,
    ObjectionAnswer,
    ObjectionRequest,
    Outcome,
    Remedy,
    UnlinkRequest,
    UpdateRequest,
)

from .common import EVERY_RIGHT, seal_settings
from .test_extension import EVERY_EXTENSION, account, key
from .test_spar_to_spar import SparToSparCase

PERSON = CallContext("person:ada", "portal", Authority.OWNER, "login")
RETURN_URL = "https://portal.example/spar/confirmed"
PAGE = ConfirmationPage("https://store.example/spar/confirm/secret", "reference")


@tagged("post_install", "-at_install")
class TestProposals(SparToSparCase):
    def test_participant_that_may_propose_no_more(self):
        store = self.env["spar.mapper.local"]
        portal = self.make_participant(
            "old.example", may_use_extension=True, may_propose=True
        )
        seal_settings(self.env, "spar.participant")
        self.assertTrue(store._is_active_caller("participant:old.example"))
        self.assertTrue(store._is_active_caller("user:7"))
        self.assertFalse(store._is_active_caller("participant:unknown.example"))
        for values in (
            {"may_propose": False},
            {"may_propose": True, "state": "disabled"},
        ):
            portal.write(values)
            seal_settings(self.env, "spar.participant")
            with self.subTest(values):
                self.assertFalse(store._is_active_caller("participant:old.example"))

    @contextmanager
    def store_confirms(self, found=None, refusing=None):
        """Let the store have a page of review; yield what it is asked."""
        store = self.registry["spar.mapper.local"]
        usual, asked = store._capabilities, []

        def _propose(_store, call, proposal):
            asked.append((call, proposal))
            if refusing:
                raise refusing
            return PAGE

        def _get_confirmation(_store, call, reference):
            asked.append((call, reference))
            return found

        def _capabilities(_store):
            return usual(_store) | {Capability.CONFIRMATION}

        self.patch(store, "_propose", _propose)
        self.patch(store, "_get_confirmation", _get_confirmation)
        self.patch(store, "_capabilities", _capabilities)
        yield asked

    def build_proposal(self, request, officer=""):
        issuer = "https://id.example"
        return ChangeProposal(request, "d1", RETURN_URL, "fr_FR", issuer, officer)

    def test_proposals_arrive_as_they_were_sent(self):
        details = Details("Ada", "+63 917 0000001")
        with self.store_confirms() as asked:
            for request in (
                LinkRequest(key(1), account(1), details),
                UpdateRequest(key(1), account(2), details, expected_version=3),
                UnlinkRequest(key(1), expected_version=3),
                ObjectionRequest(key(1), "period", 2),
            ):
                proposal = self.build_proposal(request)
                with self.subTest(proposal):
                    self.assertEqual(self.mapper._propose(PERSON, proposal), PAGE)
                    call, arrived = asked.pop()
                    self.assertEqual(arrived, proposal)
                    # Whatever the portal says of itself, it is the participant.
                    self.assertEqual(call.actor, "participant:spar2.example")
                    self.assertLess(call.authority, Authority.OWNER)

    def test_officer_arrives_by_an_opaque_reference_only(self):
        link = LinkRequest(key(1), account(1))
        with self.store_confirms() as asked:
            for officer in ("user:7", "user:" + "0" * 32):
                self.mapper._propose(PERSON, self.build_proposal(link, officer))
                self.assertEqual(asked.pop()[1].officer, officer)
            for name in ("Maria Santos", key(1), "user:maria", "user:7 <b>"):
                with self.subTest(name), self.assertRaises(MapperError):
                    self.mapper._propose(PERSON, self.build_proposal(link, name))
            self.assertEqual(asked, [])

    def test_what_became_of_it_arrives(self):
        answer = ObjectionAnswer(Remedy.RESTORED, "CASE1")
        for found in (
            Confirmation(ConfirmationState.OPEN, "d1"),
            Confirmation(
                ConfirmationState.DECIDED, "d1", Outcome.HELD, "approval", "change"
            ),
            Confirmation(ConfirmationState.DECIDED, "d1", answer=answer),
            Confirmation(ConfirmationState.UNKNOWN),
        ):
            with self.subTest(found), self.store_confirms(found) as asked:
                self.assertEqual(self.mapper._get_confirmation(PERSON, "ref"), found)
                call, reference = asked.pop()
                self.assertEqual(reference, "ref")
                self.assertEqual(call.actor, "participant:spar2.example")

    def test_refusal_of_the_store_arrives(self):
        with self.store_confirms(refusing=ProposalRefused("return_url")):
            with self.assertRaises(ProposalRefused):
                self.mapper._propose(
                    PERSON, self.build_proposal(LinkRequest(key(1), account(1)))
                )

    def test_proposal_changes_nothing_here(self):
        with self.store_confirms():
            self.give_remotely(1)
            request = UpdateRequest(key(1), account(2), expected_version=1)
            self.mapper._propose(PERSON, self.build_proposal(request))
        self.assertEqual(self.mapper._history(PERSON, key(1))[0].fa, account(1))

    def test_participant_without_the_right_cannot_propose(self):
        rights = {**EVERY_RIGHT, **EVERY_EXTENSION, "may_propose": False}
        plain = self.make_participant("plain.example", **rights)
        mapper = self.make_mapper(plain)
        with self.store_confirms() as asked:
            self.assertNotIn(Capability.CONFIRMATION, mapper._capabilities())
            with self.assertRaises(NotSupported):
                mapper._propose(
                    PERSON, self.build_proposal(LinkRequest(key(1), account(1)))
                )
            with self.assertRaises(NotSupported):
                mapper._get_confirmation(PERSON, "reference")
            self.assertEqual(asked, [])

    def test_repeated_message_gets_the_same_page(self):
        with self.store_confirms() as asked, self.losing_answers(path="/propose"):
            proposal = self.build_proposal(LinkRequest(key(1), account(1)))
            self.assertEqual(self.mapper._propose(PERSON, proposal), PAGE)
        self.assertEqual(len(asked), 1)

    def test_id_of_a_type_that_it_may_not_name_is_refused(self):
        other = self.env["spar.id.type"].create(
            {"name": "Far", "code": "far_away", "strategy": "far:{sub}@far_away"}
        )
        rights = {**EVERY_RIGHT, **EVERY_EXTENSION, "id_type_ids": [(4, other.id)]}
        narrow = self.make_participant("narrow.example", **rights)
        mapper = self.make_mapper(narrow)
        with self.store_confirms() as asked, self.assertRaises(ProposalRefused):
            mapper._propose(
                PERSON, self.build_proposal(LinkRequest(key(1), account(1)))
            )
        self.assertEqual(asked, [])
