import json
from contextlib import contextmanager
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from ..exceptions import (
    RemoteAnswerInvalid,
    RemoteRefused,
    TargetTooSlow,
    TargetUnreachable,
)
from ..lib import directory_client
from ..lib.directory_client import DirectoryClient
from ..lib.network_targets import ALLOW_VARIABLE
from ..lib.outgoing import HttpResponse
from .common import KeyringCase

URL = "https://127.0.0.1:9/spar/v1"
BANK_TYPE = {
    "code": "remote_card",
    "name": "Card",
    "provider_kind": "voucher",
    "parts": [
        {"key": "scheme_code", "kind": "provider", "label": "Scheme", "check": None},
        {
            "key": "serial",
            "kind": "text",
            "label": "Serial",
            "check": {"code": "luhn", "parameter": None},
        },
    ],
    "strategies": [
        {"number": 901, "name": "Card", "template": "card:{serial}@{scheme_code}"}
    ],
}


def build_provider(code, name, branches=0, **more):
    values = {"code": code, "name": name, "kind": "bank", "country": None, "bic": None}
    return {**values, "branches": branches, "archived": False, **more}


def build_branch(code, name, city=None, archived=False):
    return {"code": code, "name": name, "city": city, "archived": archived}


class RemoteSpar:
    """Another SPAR as its REST interface shows it, in pages of two."""

    def __init__(self):
        self.types = [BANK_TYPE]
        self.providers = [
            build_provider("QA", "Remote A", 3, bic="TESTDEFFXXX"),
            build_provider("QB", "Remote B", country="IN"),
            build_provider("QC", "Remote C", 1, kind="wallet"),
        ]
        self.branches = {
            "QA": [build_branch(f"A{n}", f"Branch {n}", "Marn") for n in range(3)],
            "QC": [build_branch("C1", "Only")],
        }
        self.requests = []
        self.tokens = 0
        self.status = {}
        self.broken = {}

    def send(self, method, url, *, headers, body, **_limits):
        parts = urlsplit(url)
        path = parts.path.removeprefix("/spar/v1")
        self.requests.append((method, path, dict(headers)))
        if status := self.status.get(path):
            return HttpResponse(status, {}, b'{"errors": []}')
        if error := self.broken.get(path):
            raise error
        document = self._answer(path, parse_qs(parts.query), headers)
        if document is None:
            return HttpResponse(401, {}, b"{}")
        return HttpResponse(200, {}, json.dumps(document).encode())

    def _answer(self, path, query, headers):
        if path == "/oauth2/client/token":
            self.tokens += 1
            return {"access_token": f"token-{self.tokens}"}
        if headers["Authorization"] != f"Bearer token-{self.tokens}":
            return None
        if path == "/directory/fa-types":
            return {"fa_types": self.types}
        member = path.rpartition("/")[2]
        items = self.providers
        if member == "branches":
            items = self.branches[path.split("/")[3]]
        start = int(query.get("cursor", ["0"])[0])
        document = {member: items[start : start + 2]}
        if start + 2 < len(items):
            document["next"] = f"https://evil.example{path}?cursor={start + 2}"
        return document


class SourceCase(KeyringCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.dict("os.environ", {ALLOW_VARIABLE: "127.0.0.0/8"}))
        cls.use_new_keyring()
        cls.administrator = cls.create_user("administrator")
        cls.sources = cls.env["spar.directory.source"].with_user(cls.administrator)
        cls.source = cls.sources.create(
            {
                "name": "Other",
                "url": URL,
                "client_id": "me",
                "client_secret": "s3cret-of-theirs",
            }
        )

    def setUp(self):
        super().setUp()
        self.remote = RemoteSpar()

    @contextmanager
    def _served(self):
        """Make the source use our remote, without the scheduler's commits."""

        def open_client(source):
            return DirectoryClient(URL, "me", "s3cret", send=self.remote.send)

        crons = self.env.registry["ir.cron"]
        with (
            patch.object(type(self.source), "_open_client", open_client),
            patch.object(crons, "_commit_progress", lambda *args, **kwargs: 60.0),
        ):
            yield

    def _fetch(self):
        with self._served():
            self.source.action_fetch()
            self.source.sudo()._cron_fetch()
        self.env.invalidate_all()
        return self.source.state

    def _get_counts(self):
        source = self.source
        return source.added, source.updated, source.same, source.kept

    def _find(self, code):
        providers = self.env["spar.fsp"].with_context(active_test=False)
        return providers.search([("code", "=", code)])

    def _get_notes(self):
        return dict(
            self.source.note_ids.mapped(lambda note: (note.subject, note.reason))
        )


class TestFetching(SourceCase):
    def test_everything_comes_with_the_same_codes(self):
        self.assertEqual(self._fetch(), "done")
        bank = self._find("QA")
        self.assertEqual((bank.name, bank.bic), ("Remote A", "TESTDEFFXXX"))
        self.assertEqual(bank.branch_ids.mapped("code"), ["A0", "A1", "A2"])
        self.assertEqual(bank.branch_ids[0].city, "Marn")
        self.assertEqual(self._find("QB").country_id.code, "IN")
        self.assertEqual(self._find("QC").kind, "wallet")
        self.assertEqual(self._find("QC").branch_ids.name, "Only")
        self.assertFalse(self.source.note_ids)
        self.assertEqual(self._get_counts(), (9, 0, 0, 0))
        self.assertEqual(self.source.progress, 100)
        self.assertTrue(self.source.fetched_at)

    def test_a_second_run_doubles_and_changes_nothing(self):
        self._fetch()
        before = self._find("QA").branch_ids.ids
        self.assertEqual(self._fetch(), "done")
        self.assertEqual(self._find("QA").branch_ids.ids, before)
        self.assertEqual(self._get_counts(), (0, 0, 7, 0))

    def test_remote_changes_are_imported(self):
        self._fetch()
        self.remote.providers[0]["name"] = "Renamed A"
        self.remote.branches["QA"][0]["city"] = "Sella"
        self.remote.branches["QA"].append(build_branch("A9", "New"))
        self._fetch()
        self.assertEqual(self._find("QA").name, "Renamed A")
        self.assertEqual(self._find("QA").branch_ids[0].city, "Sella")
        self.assertEqual(self._get_counts(), (1, 2, 5, 0))

    def test_local_edits_are_kept(self):
        self._fetch()
        bank, branch = self._find("QA"), self._find("QA").branch_ids[0]
        bank.name, branch.city = "Our A", "Our Town"
        self.remote.providers[0].update(name="Renamed A", bic="BANKDEFF")
        self.remote.branches["QA"][0].update(city="Sella", name="Renamed Branch")
        self._fetch()
        self.assertEqual((bank.name, bank.bic), ("Our A", "BANKDEFF"))
        self.assertEqual((branch.city, branch.name), ("Our Town", "Renamed Branch"))
        self.assertEqual(self.source.kept, 2)
        self._fetch()
        self.assertEqual((bank.name, branch.city), ("Our A", "Our Town"))

    def test_archived_there_is_archived_here_unless_edited(self):
        self._fetch()
        self.remote.providers[2]["archived"] = True
        edited, other = self._find("QA").branch_ids[:2]
        edited.city = "Our Town"
        for branch in self.remote.branches["QA"][:2]:
            branch["archived"] = True
        self._fetch()
        self.assertFalse(self._find("QC").active)
        self.assertTrue(edited.active)
        self.assertFalse(other.active)
        self.remote.providers[2]["archived"] = False
        self._fetch()
        self.assertTrue(self._find("QC").active)

    def test_records_archived_here_stay_archived(self):
        self._fetch()
        self._find("QB").action_archive()
        self.remote.providers[1]["name"] = "Renamed B"
        self._fetch()
        self.assertFalse(self._find("QB").active)

    def test_records_entered_here_are_left_and_noted(self):
        own = self.env["spar.fsp"].create({"name": "Ours", "code": "qa"})
        self._fetch()
        self.assertEqual(own.name, "Ours")
        self.assertFalse(own.branch_ids)
        self.assertIn("entered here", self._get_notes()["Ours"])

    def test_it_goes_on_where_it_was_stopped(self):
        with self._served():
            self.source.action_fetch()
            for _page in range(4):
                self.source._fetch_step(self.source._open_client())
            self.source.action_stop()
            before = len(self.remote.requests)
            self.source.action_fetch()
            self.source.sudo()._cron_fetch()
        self.assertEqual(self.source.state, "done")
        paths = [path for _method, path, _headers in self.remote.requests[before:]]
        self.assertNotIn("/directory/providers", paths)
        self.assertEqual(self._get_counts(), (9, 0, 0, 0))

    def test_the_work_goes_on_with_the_next_source_when_time_allows(self):
        with self._served():
            crons = self.env.registry["ir.cron"]
            self.source.action_fetch()
            with patch.object(crons, "_commit_progress", lambda *args, **kwargs: 0):
                self.source.sudo()._cron_fetch()
            self.assertEqual(self.source.state, "waiting")
            self.source.sudo()._cron_fetch()
        self.assertEqual(self.source.state, "done")

    def test_an_expired_token_is_got_anew(self):
        client = DirectoryClient(URL, "me", "s3cret", send=self.remote.send)
        client.get_fa_types()
        self.remote.tokens += 1
        client.get_fa_types()
        self.assertEqual(client._token, f"token-{self.remote.tokens}")

    def test_no_address_of_the_other_side_is_followed(self):
        self._fetch()
        paths = [path for _method, path, _headers in self.remote.requests]
        self.assertEqual(paths.count("/directory/providers"), 2)
        known = ("/directory", "/oauth2")
        self.assertTrue(all(path.startswith(known) for path in paths))


class TestLives(SourceCase):
    """Banks and branches of the other side close or disappear."""

    def _get_noted(self, kind):
        return self.source.note_ids.filtered(lambda n: n.kind == kind).mapped("subject")

    def test_records_removed_there_are_noted_and_kept(self):
        self._fetch()
        del self.remote.providers[2], self.remote.branches["QC"]
        del self.remote.branches["QA"][1]
        self.assertEqual(self._fetch(), "done")
        wallet, branches = self._find("QC"), self._find("QA").branch_ids
        self.assertTrue(wallet.active and wallet.gone_from_source)
        gone = branches.filtered("gone_from_source")
        self.assertEqual(gone.code, "A1")
        self.assertTrue(gone.active)
        self.assertEqual(self.source.gone_count, 2)
        self.assertEqual(
            self._get_noted("gone"), [wallet.display_name, gone.display_name]
        )
        self.assertEqual(self._fetch(), "done")
        self.assertFalse(self._get_noted("gone"))  # reported before
        self.remote.branches["QA"].insert(1, build_branch("A1", "Branch 1", "Marn"))
        self._fetch()
        self.assertFalse(gone.gone_from_source)

    def test_the_last_and_the_first_can_be_gone(self):
        self._fetch()
        self.remote.branches["QA"] = self.remote.branches["QA"][1:2]
        self._fetch()
        gone = self._find("QA").branch_ids.filtered("gone_from_source")
        self.assertEqual(gone.mapped("code"), ["A0", "A2"])

    def test_new_and_changed_records_are_noted_from_the_second_fetch(self):
        self._fetch()
        self.assertFalse(self.source.note_ids)
        self.remote.providers.append(build_provider("QD", "Remote D"))
        self.remote.providers[1]["name"] = "Renamed B"
        self._fetch()
        self.assertEqual(self._get_noted("new"), ["Remote D"])
        self.assertEqual(self._get_noted("changed"), ["Renamed B"])

    def test_closings_and_successors_come_along(self):
        self.remote.providers[0].update(
            closed_on="2026-01-31", close_reason="Merged", successor="QB"
        )
        self.remote.branches["QA"][0].update(
            closed_on="2026-01-31", successor="A2", successor_provider="QA"
        )
        self._fetch()
        bank = self._find("QA")
        self.assertEqual(
            (str(bank.closed_on), bank.close_reason, bank.successor_id),
            ("2026-01-31", "Merged", self._find("QB")),
        )
        self.assertEqual(bank.branch_ids[0].successor_id, bank.branch_ids[2])
        self.assertEqual(self._fetch(), "done")
        self.assertEqual(self._get_counts(), (0, 0, 7, 0))

    def test_closings_reach_records_fetched_before_closings_existed(self):
        self._fetch()
        bank = self._find("QA")
        kept = {"closed_on", "close_reason", "successor"}
        bank.source_values = {
            name: value
            for name, value in bank.source_values.items()
            if name not in kept
        }
        self.remote.providers[0].update(closed_on="2026-01-31", successor="QB")
        self._fetch()
        self.assertTrue(bank.is_closed)
        self.assertEqual(bank.successor_id.code, "QB")
        self.assertEqual(self.source.kept, 0)

    def test_a_successor_of_people_here_stays(self):
        self._fetch()
        ours = self.env["spar.fsp"].create({"name": "Ours", "code": "OURS"})
        self._find("QA").successor_id = ours
        self.remote.providers[0].update(closed_on="2026-01-31", successor="QB")
        self._fetch()
        self.assertEqual(self._find("QA").successor_id, ours)

    def test_a_successor_that_cannot_be_is_noted(self):
        self.remote.providers[0].update(closed_on="2026-01-31", successor="QC")
        self.remote.providers[1].update(closed_on="2026-01-31", successor="NONE")
        self.assertEqual(self._fetch(), "done")
        self.assertEqual(set(self._get_notes()), {"Remote A", "Remote B"})

    def test_a_day_that_is_none_is_noted(self):
        self.remote.providers[0]["closed_on"] = "some day"
        self.remote.branches["QA"][0]["closed_on"] = "2026-02-31"
        self.assertEqual(self._fetch(), "done")
        self.assertFalse(self._find("QA").closed_on)
        self.assertEqual(set(self._get_notes()), {"QA", "A0"})


class TestTypes(SourceCase):
    def test_a_new_kind_comes_with_its_strategy(self):
        self._fetch()
        self.assertFalse(
            self.env["spar.fa.type"].search([("code", "=", "remote_card")])
        )
        self.approve_waiting()
        (address,) = self.env["spar.fa.strategy"]._read_addresses(
            ["card:79927398713@QC"]
        )
        self.assertEqual(address.type_code, "remote_card")
        fa_type = self.env["spar.fa.type"].search([("code", "=", "remote_card")])
        self.assertEqual(fa_type.part_ids.mapped("check_code"), [False, "luhn"])
        self.assertFalse(any(fa_type.part_ids.mapped("gaps_do_not_count")))

    def test_a_kind_brings_its_rules_of_equality(self):
        kind = json.loads(json.dumps(BANK_TYPE))
        kind["parts"][1] |= {"gaps_do_not_count": True, "is_account_number": True}
        self.remote.types = [kind]
        self._fetch()
        self.approve_waiting()
        fa_type = self.env["spar.fa.type"].search([("code", "=", "remote_card")])
        self.assertEqual(fa_type.part_ids.mapped("gaps_do_not_count"), [False, True])
        self.assertEqual(fa_type.part_ids.mapped("is_account_number"), [False, True])

    def test_a_strategy_number_in_use_is_left_and_noted(self):
        self.remote.types = [
            {**BANK_TYPE, "strategies": [{"number": 1, "template": "x:{serial}"}]}
        ]
        before = self.env["spar.fa.strategy"].search([("number", "=", 1)]).template
        self.assertEqual(self._fetch(), "done")
        after = self.env["spar.fa.strategy"].search([("number", "=", 1)]).template
        self.assertEqual(after, before)
        self.assertIn("is different here", self._get_notes()["remote_card 1"])

    def test_a_kind_with_different_parts_is_left_and_noted(self):
        self.remote.types = [{**BANK_TYPE, "code": "bank_account"}]
        self.assertEqual(self._fetch(), "done")
        self.assertIn("different parts", self._get_notes()["bank_account"])
        self.assertFalse(self.env["spar.fa.strategy"].search([("number", "=", 901)]))

    def test_invalid_kinds_are_noted_and_the_rest_is_imported(self):
        strategies = [
            {"number": 902, "template": "card:{serial}{scheme_code}"},
            {"number": 903, "template": "card:{serial}@{nothing}"},
        ]
        odd = {**BANK_TYPE, "code": "Odd Code"}
        unknown = json.loads(json.dumps({**BANK_TYPE, "code": "odd"}))
        unknown["parts"][1]["check"]["code"] = "astrology"
        self.remote.types = [{**BANK_TYPE, "strategies": strategies}, odd, unknown]
        self.assertEqual(self._fetch(), "done")
        notes = self._get_notes()
        self.assertEqual(
            set(notes), {"remote_card 902", "remote_card 903", "Odd Code", "odd"}
        )
        self.assertIn("astrology", notes["odd"])
        self.assertTrue(self._find("QA"))


class TestTrouble(SourceCase):
    def _fail(self, *words):
        self.assertEqual(self._fetch(), "failed")
        for word in words:
            self.assertIn(word, self.source.problem)

    def test_refusals_are_explained(self):
        for status, word in ((401, "client ID"), (403, "client ID"), (503, "503")):
            with self.subTest(status=status):
                self.remote.status = {"/oauth2/client/token": status}
                self._fail(word)
        self.remote.status = {"/directory/fa-types": 404}
        self._fail("/spar/v1")

    def test_failures_of_the_other_server_are_explained(self):
        for error, word in (
            (TargetTooSlow("x"), "too slow"),
            (TargetUnreachable("x"), "cannot be reached"),
        ):
            with self.subTest(error=error):
                self.remote.broken = {"/directory/providers": error}
                self._fail(word)
                self.assertNotIn("s3cret", self.source.problem)

    def test_it_goes_on_after_a_failure(self):
        self.remote.status = {"/directory/providers/QC/branches": 500}
        self._fail("500")
        self.assertEqual(len(self._find("QA").branch_ids), 3)
        self.remote.status = {}
        self.assertEqual(self._fetch(), "done")
        self.assertEqual(self._get_counts(), (9, 0, 0, 0))

    def test_responses_that_are_not_a_directory_are_explained(self):
        for changed in (
            {"types": "text"},
            {"types": [1]},
            {"types": [{**BANK_TYPE, "parts": None}]},
            {"types": [{**BANK_TYPE, "strategies": [{"number": "1"}]}]},
            {"types": [{**BANK_TYPE, "code": ["a"]}]},
            {"providers": [build_provider(5, "Number")]},
            {"providers": [build_provider("Q1", {"en": "Object"})]},
        ):
            with self.subTest(changed=changed):
                self.remote = RemoteSpar()
                self.remote.__dict__.update(changed)
                self.source.sudo().place = False
                self._fail("not that of a SPAR directory")

    def test_bad_rows_are_noted_and_good_ones_imported(self):
        self.remote.providers += [
            build_provider("Q D", "Space"),
            build_provider("QE", ""),
            build_provider("QF", "Casino", kind="casino"),
            build_provider("QG", "Nowhere", 0, country="XW"),
            build_provider("QH", "Wrong BIC", bic="WRONG"),
            build_provider("QI", "x" * 300),
            build_provider("QJ", "turned\u202earound"),
        ]
        self.assertEqual(self._fetch(), "done")
        self.assertEqual(set(self._get_notes()), {"Q D", "QE", "QF", "QG", "QH", "QI"})
        self.assertEqual(self._find("QJ").name, "turnedaround")
        self.assertFalse(self._find("QE") | self._find("QH"))
        self.assertFalse(self._find("QG").country_id)
        self.assertTrue(self._find("QG"))
        self.assertTrue(self._find("QA"))

    def test_an_error_of_ours_is_logged_without_values(self):
        with (
            patch.object(
                type(self.source), "_import_types", side_effect=KeyError("secret value")
            ),
            self.assertLogs(level="ERROR") as logs,
        ):
            self._fail("unexpected")
        self.assertNotIn("secret value", str(logs.output) + self.source.problem)

    def test_unreadable_answers(self):
        for body in (b"<html>", b"[]", b"\xff", b"[" * 100_000):
            with self.subTest(body=body[:10]), self.assertRaises(RemoteAnswerInvalid):
                directory_client.read_document(HttpResponse(200, {}, body))
        with self.assertRaises(RemoteRefused):
            directory_client.read_document(HttpResponse(302, {}, b"{}"))
        for following in (5, "http://[", "/no-cursor"):
            with self.subTest(following=following):
                with self.assertRaises(RemoteAnswerInvalid):
                    directory_client.read_cursor({"next": following})

    def test_a_page_that_leads_to_itself_ends_it(self):
        page = json.dumps({"providers": [], "next": "/x?cursor=1"}).encode()
        client = DirectoryClient(
            URL, "me", "s", lambda *_a, **_k: HttpResponse(200, {}, page), "token"
        )
        with self.assertRaises(RemoteAnswerInvalid):
            client.get_providers("1")


class TestSettings(SourceCase):
    def test_the_secret_is_sealed_and_never_shown(self):
        self.assertTrue(self.source.has_secret)
        self.assertFalse(self.source.client_secret)
        self.assertEqual(self.source._open_client().client_secret, "s3cret-of-theirs")
        self.env.cr.execute("SELECT s::text FROM spar_directory_source AS s")
        for (row,) in self.env.cr.fetchall():
            self.assertNotIn("s3cret", row)
            self.assertNotIn(b"s3cret-of-theirs".hex(), row)

    def test_with_another_address_the_secret_is_gone(self):
        for values in ({"url": f"{URL}/x"}, {"client_id": "other"}):
            self.source.client_secret = "s3cret"
            self.source.write(values)
            self.env.invalidate_all()
            with self.subTest(values=values):
                self.assertFalse(self.source.has_secret)
                self.assert_refused(UserError, self.source.action_fetch)

    def test_a_row_that_was_changed_by_sql_sends_the_secret_nowhere(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_directory_source SET url = 'https://evil.example'"
        )
        self.env.invalidate_all()
        self.assert_refused(UserError, self.source._open_client)

    def test_the_secret_is_resealed_with_the_rest(self):
        self.assertIn(
            "spar.directory.source",
            [model._name for model in self.keyrings._get_sealed_models()],
        )

    def test_addresses_that_lead_inside_are_refused(self):
        for url in (
            "http://10.0.0.1/spar/v1",
            "https://10.0.0.1/spar/v1",
            "https://[::1]/spar/v1",
            "file:///etc/passwd",
            "spar",
        ):
            with self.subTest(url=url):
                error = self.assert_refused(
                    ValidationError, self.source.write, {"url": url}
                )
                self.assertIn("https://", str(error))

    def test_while_it_is_fetched_nothing_is_changed(self):
        self.source.action_fetch()
        self.assert_refused(UserError, self.source.write, {"url": f"{URL}/x"})
        self.assert_refused(UserError, self.source.action_fetch)
        self.assert_refused(UserError, self.source.unlink)
        self.source.action_stop()
        self.source.unlink()

    def test_only_administrators_reach_it(self):
        for role in ("viewer", "officer", "supervisor", "auditor"):
            source = self.source.with_user(self.create_user(role))
            for act in (
                lambda source=source: source.read(["url"]),
                source.action_fetch,
                source.action_stop,
                lambda source=source: source.write({"client_secret": "x"}),
                source.unlink,
                lambda source=source: source.create({"name": "x", "url": URL}),
                lambda source=source: source.note_ids.search([]),
            ):
                with self.subTest(role=role), mute_logger("odoo.addons.base.models"):
                    self.assert_refused(AccessError, act)

    def test_a_user_who_lost_the_right_imports_nothing(self):
        with self._served():
            self.source.action_fetch()
            group = self.env.ref("spar_fa_directory.group_administrator")
            self.administrator.sudo().group_ids -= group
            self.source.sudo()._cron_fetch()
        self.assertEqual(self.source.sudo().state, "failed")
        self.assertFalse(self._find("QA"))
