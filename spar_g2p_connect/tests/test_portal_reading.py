"""A portal reads the address of somebody who has logged in there, and nobody else's."""

import json
import time

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.tests.common import ALARM_LOGGER
from odoo.addons.spar_mapper_connector.exceptions import (
    NotSupported,
    OwnerLoginExpired,
    OwnerLoginRefused,
    VisitNeeded,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    ChangeLock,
    LinkRequest,
    LockRequest,
    MaskedFa,
    Outcome,
    OwnerLogin,
    ResolveRequest,
    UnlockRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import OPERATIONS
from odoo.addons.spar_mapper_connector.lib.spar_wire.records import (
    AbilitiesRequest,
    OwnRequest,
)
from odoo.addons.spar_mapper_connector.tests.id_provider import ISSUER, IdProvider
from odoo.addons.spar_mapper_connector.tests.test_settings_seal import SEAL_LOGGER

from .common import seal_settings
from .test_extension import REQUESTS, ExtensionCase
from .test_spar_to_spar import SparToSparCase

PORTAL_CLIENT = "portal.example.org"
ADA, GRACE = "token:Ada-1815@nationalId", "token:Grace-1906@nationalId"
NUMBERS = {ADA: "1234567890123456", GRACE: "6543210987654321"}
#: What a portal may call beside reading.
OF_PORTALS = {
    "own-address",
    "lock",
    "capabilities",
    "change-status",
    "propose",
    "confirmation",
    "end-visit",
    "object",
    "notice",
    "object-to-notice",
}


class PortalMixin:
    """``portal`` is a portal; Ada and Grace have accounts at the store."""

    @classmethod
    def set_up_portal(cls):
        cls.provider = IdProvider(int(time.time()))
        cls.id_type = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.id_type.issuers = ISSUER
        cls.issuer = cls.env["spar.proof.issuer"].create(
            {
                "name": "National ID",
                "issuer": ISSUER,
                "audiences": "store.example.org",
                "portal_audiences": PORTAL_CLIENT,
                "algorithms": "ES256",
                "id_claim": "individual_id",
                "pinned_keys": json.dumps(cls.provider.publish()),
                "id_type_ids": [(6, 0, cls.id_type.ids)],
            }
        )
        cls.portal = cls.make_participant(
            "portal.example",
            may_resolve=False,
            may_use_extension=True,
            may_read_own=True,
            may_propose=True,
            may_object=True,
        )
        seal_settings(cls.env, "spar.proof.issuer", "spar.id.type")

    def link_both(self):
        self.let_visit()
        for id_value, number in NUMBERS.items():
            request = LinkRequest(id_value, f"account:{number}@BANK")
            (result,) = self.env["spar.mapper.local"]._link_fa(
                CallContext("user:1", "staff", Authority.PROGRAMME), [request]
            )
            self.assertEqual(result.outcome, Outcome.LINKED)

    def let_visit(self):
        """Let each person with an ID have allowed the visit ``get_visit(ID)``."""

        def is_visited(_store, call, reference, id_value):
            is_ours = call.actor == "participant:portal.example"
            return is_ours and reference == get_visit(id_value)

        self.patch(self.registry["spar.mapper.local"], "_is_visited", is_visited)

    def log_in(self, value="Ada-1815", key=None, **claims):
        """Return the ID token of a person at the portal."""
        usual = {
            "iss": ISSUER,
            "aud": PORTAL_CLIENT,
            "sub": f"sub-of-{value}",
            "iat": self.provider.now,
            "auth_time": self.provider.now - 60,
            "exp": self.provider.now + 300,
            "individual_id": value,
        }
        return self.provider.sign({**usual, **claims}, key)


def get_visit(id_value):
    return f"visit of {id_value}"


@tagged("post_install", "-at_install")
class TestPortalReading(PortalMixin, ExtensionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_portal()

    def setUp(self):
        super().setUp()
        self.link_both()

    def read_own(self, token, id_value=ADA, issuer=ISSUER, userinfo="", visit=None):
        visit = get_visit(id_value) if visit is None else visit
        request = OwnRequest(id_value, issuer, token, userinfo, visit=visit)
        return self.one(self.portal, "own-address", request)

    def test_person_who_has_logged_in(self):
        found = self.read_own(self.log_in())
        self.assertEqual(found.result.outcome, Outcome.FOUND)
        self.assertTrue(found.result.fa.endswith("3456@BANK"), found.result.fa)
        self.assertEqual(found.result.version, 1)
        (period,) = found.periods
        self.assertEqual(period.fa, found.result.fa)

    def test_no_whole_number_anywhere(self):
        local = self.env["spar.mapper.local"]
        call = CallContext("user:1", "staff", Authority.PROGRAMME)
        update = UpdateRequest(ADA, "account:9999888877776666@BANK")
        local._update_fa(call, [update])
        lower = CallContext("user:1", "staff", Authority.INSTITUTION)
        waiting = UpdateRequest(ADA, "account:5555444433332222@BANK")
        (held,) = local._update_fa(lower, [waiting])
        self.assertEqual(held.outcome, Outcome.HELD)
        document = self.build(
            self.portal,
            "own-address",
            OwnRequest(ADA, ISSUER, self.log_in(), visit=get_visit(ADA)),
        )
        response = self.post(self.portal, "own-address", document)
        (found,) = self.read_found("own-address", response, document)
        self.assertEqual((len(found.periods), len(found.changes)), (2, 1))
        for number in (NUMBERS[ADA], "9999888877776666", "5555444433332222"):
            self.assertNotIn(number[:12], response.text)
            self.assertNotIn(number[4:], response.text)

    def test_somebody_else(self):
        self.assertEqual(self.read_own(self.log_in(), GRACE), "owner_login_refused")

    def test_person_without_an_address(self):
        found = self.read_own(self.log_in("Alan-1912"), "token:Alan-1912@nationalId")
        self.assertEqual(found.result.outcome, Outcome.NOT_LINKED)

    def test_tokens_that_prove_nothing(self):
        head, body, signature = self.log_in().split(".")
        grace = self.log_in("Grace-1906").split(".")
        later = self.provider.now + 3600
        for name, token in {
            "none": "",
            "nonsense": "x.y.z",
            "unsigned": f"{head}.{body}.",
            "body of another": f"{head}.{grace[1]}.{signature}",
            "algorithm none": f"eyJhbGciOiJub25lIn0.{body}.",
            "another key": self.log_in(key=PrivateKey.generate("ES256")),
            "another algorithm": self.log_in(key=PrivateKey.generate("EdDSA")),
            "another client": self.log_in(aud="shop.example.org"),
            "the store's own page": self.log_in(aud="store.example.org"),
            "several clients": self.log_in(aud=[PORTAL_CLIENT, "shop.example.org"]),
            "authorised for another": self.log_in(azp="shop.example.org"),
            "another issuer inside": self.log_in(iss="https://other.example.org"),
            "of the future": self.log_in(iat=later, exp=later + 300),
            "without an ID": self.log_in(individual_id=None),
            "an ID that is none": self.log_in(individual_id=["Ada-1815"]),
            "an ID with a prefix": self.log_in(individual_id="token:Ada-1815"),
            "without a subject": self.log_in(sub=None),
        }.items():
            with self.subTest(name):
                self.assertEqual(self.read_own(token), "owner_login_refused")

    def test_expired_login(self):
        token = self.log_in(iat=self.provider.now - 900, exp=self.provider.now - 600)
        self.assertEqual(self.read_own(token), "owner_login_expired")

    def test_login_by_a_session_at_the_provider_shows_nothing(self):
        """Single sign-on, without a page: the person need not know of it."""
        for claims in ({}, {"auth_time": self.provider.now - 900}):
            token = self.log_in(**claims)
            for visit in ("", "v1", get_visit(GRACE)):
                with self.subTest(visit, **claims):
                    self.assertEqual(self.read_own(token, visit=visit), "visit_needed")

    def test_visit_alone_shows_nothing(self):
        for token in ("", self.log_in("Grace-1906")):
            self.assertEqual(self.read_own(token), "owner_login_refused")

    def test_visit_that_went_on_after_the_login_at_the_provider(self):
        token = self.log_in(auth_time=self.provider.now - 900)
        self.assertEqual(self.read_own(token).result.outcome, Outcome.FOUND)

    def test_visit_of_another_portal(self):
        other = self.make_participant(
            "other.example",
            may_resolve=False,
            may_use_extension=True,
            may_read_own=True,
        )
        request = OwnRequest(ADA, ISSUER, self.log_in(), visit=get_visit(ADA))
        self.assertEqual(self.one(other, "own-address", request), "visit_needed")

    def test_login_of_an_earlier_visit(self):
        issued = self.provider.now - 1801
        token = self.log_in(iat=issued, auth_time=issued, exp=self.provider.now + 86400)
        self.assertEqual(self.read_own(token), "owner_login_expired")

    def test_issuer_that_is_not_listed(self):
        for issuer in ("", "https://other.example.org"):
            answer = self.read_own(self.log_in(), issuer=issuer)
            self.assertEqual(answer, "owner_login_refused")

    def test_issuer_that_may_not_assert_this_type(self):
        self.issuer.id_type_ids = [(5,)]
        seal_settings(self.env, "spar.proof.issuer")
        self.assertEqual(self.read_own(self.log_in()), "owner_login_refused")

    def test_issuer_that_was_altered_past_the_registry(self):
        self.env.cr.execute(
            "UPDATE spar_proof_issuer SET portal_audiences = %s WHERE id = %s",
            [f"{PORTAL_CLIENT} evil.example.org", self.issuer.id],
        )
        self.env.invalidate_all()
        self.env["spar.row.versions"]._forget()
        with mute_logger(SEAL_LOGGER, ALARM_LOGGER):
            self.assertEqual(self.read_own(self.log_in()), "owner_login_refused")

    def test_id_in_the_signed_userinfo(self):
        token = self.log_in(individual_id=None)
        userinfo = {"sub": "sub-of-Ada-1815", "individual_id": "Ada-1815"}
        found = self.read_own(token, userinfo=self.provider.sign(userinfo))
        self.assertEqual(found.result.outcome, Outcome.FOUND)
        other = {**userinfo, "sub": "sub-of-Grace-1906"}
        plain = json.dumps(userinfo)
        for wrong in (self.provider.sign(other), plain):
            answer = self.read_own(token, userinfo=wrong)
            self.assertEqual(answer, "owner_login_refused")

    # === LOCK === #

    def lock(self, token, id_value=ADA, visit=None):
        visit = get_visit(id_value) if visit is None else visit
        request = OwnRequest(id_value, ISSUER, token, visit=visit)
        return self.one(self.portal, "lock", request)

    def confirm_unlocking(self):
        """Let the store have a page on which people lift their lock."""
        local = self.registry["spar.mapper.local"]
        able = local._capabilities(self.env["spar.mapper.local"])
        known = able | {Capability.CHANGE_LOCK, Capability.CONFIRMATION}
        self.patch(local, "_capabilities", lambda _mapper: known)

    def test_person_who_has_logged_in_locks_changes(self):
        self.confirm_unlocking()
        self.assertEqual(self.read_own(self.log_in()).lock.value, "none")
        result = self.lock(self.log_in())
        self.assertEqual((result.outcome, result.fa), (Outcome.LOCK_SET, None))
        self.assertEqual(self.read_own(self.log_in()).lock.value, "owner")
        event = self.env["spar.event"].search([], order="id desc", limit=1)
        self.assertEqual(event.kind, "changes_locked")
        self.assertEqual(event.actor, "participant:portal.example")
        self.assertEqual(event.channel, "portal")

    def test_portal_locks_nobody_without_their_login(self):
        self.confirm_unlocking()
        for token, code in (
            ("", "owner_login_refused"),
            (self.log_in("Grace-1906"), "owner_login_refused"),
            (self.log_in(aud="shop.example.org"), "owner_login_refused"),
            (self.log_in(iat=1, exp=2), "owner_login_expired"),
        ):
            with self.subTest(code):
                self.assertEqual(self.lock(token), code)
        self.assertEqual(self.lock(self.log_in(), visit="v1"), "visit_needed")
        self.assertEqual(self.read_own(self.log_in()).lock.value, "none")

    def test_nobody_is_locked_who_could_not_unlock(self):
        self.assertEqual(self.lock(self.log_in()), "not_supported")
        abilities = self.one(self.portal, "capabilities", AbilitiesRequest())
        self.assertNotIn(Capability.CHANGE_LOCK, abilities.capabilities)

    def test_refused_logins_count_as_guesses(self):
        self.read_own("", GRACE)
        usage = self.env["spar.participant.usage"].search(
            [("participant_id", "=", self.portal.id)]
        )
        self.assertEqual(usage.not_found, 1)

    def test_portal_has_no_other_way_to_an_address(self):
        for name in set(OPERATIONS) - OF_PORTALS:
            with self.subTest(name):
                document = self.build(self.portal, name, REQUESTS[name])
                response = self.post(self.portal, name, document)
                self.assertHttpError(response, 403, "err.request.forbidden")
        for operation in ("link", "update", "unlink", "resolve"):
            with self.subTest(operation):
                response = self.call(self.portal, operation, {})
                self.assertHttpError(response, 403, "err.request.forbidden")

    def test_portal_gets_no_other_right(self):
        for values in (
            {"may_link": True},
            {"may_update": True},
            {"may_unlink": True},
            {"may_resolve": True},
            {"may_resolve_by_fa": True},
            {"may_suspend": True},
            {"may_read_standing": True},
            {"scope": "details"},
            {"scope": "details", "may_read_history": True},
            {"may_use_extension": False},
        ):
            rights = {"may_resolve": False, "may_use_extension": True, **values}
            with self.subTest(values), self.assertRaises(ValidationError):
                self.make_participant("p2.example", may_read_own=True, **rights)

    def test_capabilities_of_a_portal(self):
        abilities = self.one(self.portal, "capabilities", AbilitiesRequest())
        self.assertIn(Capability.OWN_ADDRESS, abilities.capabilities)
        for lacking in (Capability.RESOLVE, Capability.HISTORY, Capability.LINK):
            self.assertNotIn(lacking, abilities.capabilities)


@tagged("post_install", "-at_install")
class TestPortalMapper(PortalMixin, SparToSparCase):
    """The portal's own side: the mapper through which its pages read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_portal()
        cls.remote = cls.make_mapper(cls.portal)

    def setUp(self):
        super().setUp()
        self.link_both()

    def build_call(self, token=None, visit=None):
        visit = get_visit(ADA) if visit is None else visit
        login = token and OwnerLogin(ISSUER, token, visit=visit)
        return CallContext("person:1", "portal", Authority.OWNER, "login", login=login)

    def test_own_address_is_masked(self):
        call = self.build_call(self.log_in())
        (found,) = self.remote._resolve_fa(call, [ResolveRequest(ADA)])
        self.assertEqual(found.outcome, Outcome.FOUND)
        self.assertIsInstance(found.fa, MaskedFa)
        (period,) = self.remote._history(call, ADA)
        self.assertIsInstance(period.fa, MaskedFa)
        self.assertEqual(self.remote._waiting_changes(call, ADA), [])
        there = self.remote._address_at(call, ADA, period.valid_from)
        self.assertEqual(there.fa, period.fa)

    def test_nobody_without_their_login(self):
        for call in (self.build_call(), self.build_call(self.log_in("Grace-1906"))):
            with self.assertRaises(OwnerLoginRefused):
                self.remote._history(call, ADA)
        (found,) = self.remote._resolve_fa(self.build_call(), [ResolveRequest(ADA)])
        self.assertEqual(found.outcome, Outcome.FORBIDDEN)
        with self.assertRaises(OwnerLoginRefused):
            call = self.build_call(self.log_in("Grace-1906"))
            self.remote._resolve_fa(call, [ResolveRequest(ADA)])

    def test_lock_goes_through_the_contract(self):
        local = self.registry["spar.mapper.local"]
        able = local._capabilities(self.env["spar.mapper.local"])
        self.patch(local, "_capabilities", lambda _m: able | {Capability.CHANGE_LOCK})
        call = self.build_call(self.log_in())
        self.assertIs(self.remote._get_change_lock(call, ADA), ChangeLock.NONE)
        (result,) = self.remote._lock_changes(call, [LockRequest(ADA)])
        self.assertEqual((result.outcome, result.id_value), (Outcome.LOCK_SET, ADA))
        self.assertIs(self.remote._get_change_lock(call, ADA), ChangeLock.OWNER)
        with self.assertRaises(NotSupported):
            self.remote._unlock_changes(call, [UnlockRequest(ADA)])
        with self.assertRaises(OwnerLoginRefused):
            self.remote._lock_changes(self.build_call(), [LockRequest(ADA)])

    def test_expired_login_has_an_error_of_its_own(self):
        token = self.log_in(iat=self.provider.now - 900, exp=self.provider.now - 600)
        with self.assertRaises(OwnerLoginExpired):
            self.remote._history(self.build_call(token), ADA)

    def test_visit_that_is_needed_has_an_error_of_its_own(self):
        self.assertIn(Capability.VISIT, self.remote._capabilities())
        for visit in ("", "v1"):
            with self.assertRaises(VisitNeeded):
                self.remote._history(self.build_call(self.log_in(), visit), ADA)

    def test_end_of_a_visit_goes_through_the_contract(self):
        ended = []
        local = self.registry["spar.mapper.local"]
        self.patch(
            local, "_end_visit", lambda _m, call, ref: ended.append((call.actor, ref))
        )
        self.remote._end_visit(self.build_call(), "v1")
        self.assertEqual(ended, [("participant:portal.example", "v1")])

    def test_addresses_are_no_way_to_people(self):
        call = self.build_call(self.log_in())
        for request in (
            ResolveRequest(fa=f"account:{NUMBERS[GRACE]}@BANK"),
            ResolveRequest(ADA, f"account:{NUMBERS[ADA]}@BANK"),
        ):
            (found,) = self.remote._resolve_fa(call, [request])
            self.assertEqual((found.outcome, found.fa), (Outcome.FORBIDDEN, None))
