import json
import os
import tempfile
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlencode
from uuid import uuid4

from odoo.fields import Command
from odoo.tests import HttpCase

from odoo.addons.spar_g2p_connect.const import BASE_PATH
from odoo.addons.spar_g2p_connect.models.participant.spar_participant import (
    DEMO_VARIABLE,
)
from odoo.addons.spar_mapper_connector.lib import outgoing
from odoo.addons.spar_mapper_connector.lib.g2p_connect.timestamps import (
    format_timestamp,
    now,
)
from odoo.addons.spar_mapper_connector.lib.network_targets import ALLOW_VARIABLE

CALLBACK_WORKER_LOGGER = (
    "odoo.addons.spar_g2p_connect.models.message.spar_callback_worker"
)
MESSAGE_WORKER_LOGGER = (
    "odoo.addons.spar_g2p_connect.models.message.spar_message_worker"
)
#: The time that a sender states for an item.
TIMESTAMP = "2026-03-01T10:00:00.000+00:00"
EVERY_RIGHT = {
    "may_link": True,
    "may_update": True,
    "may_unlink": True,
    "may_resolve": True,
    "may_resolve_by_fa": True,
    "scope": "details",
}


def build_items(*keys, **members):
    """Return an item for each key, which replaces ``{}`` in the other members."""
    return [
        {
            "reference_id": f"ref-{key}",
            "timestamp": TIMESTAMP,
            "id": f"token:{key}@nationalId",
            **{
                name: value.format(key) if isinstance(value, str) else value
                for name, value in members.items()
            },
        }
        for key in keys
    ]


def build_message(operation, sender_id, items, **header):
    """Return a valid message with ``items``; ``header`` replaces header members."""
    return {
        "header": {
            "version": "1.0.0",
            "message_id": str(uuid4()),
            "message_ts": format_timestamp(now()),
            "action": operation,
            "sender_id": sender_id,
            "receiver_id": "spar.example",
            "total_count": len(items),
            **header,
        },
        "message": {"transaction_id": "transaction-1", f"{operation}_request": items},
    }


class KeyringMixin:
    """A database with a keyring of its own, for one class of tests."""

    @classmethod
    def set_up_keyring(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.keyring_path = Path(folder.name, "keyring.json")
        variables = {"SPAR_KEYRING": str(cls.keyring_path)}
        cls.startClassPatcher(patch.dict(os.environ, variables))
        os.environ[DEMO_VARIABLE] = "1"
        cls.env.cr.execute("DELETE FROM spar_keyring_phase")
        cls.env["spar.keyring"]._forget_phase()
        cls.env.cr.execute("DELETE FROM spar_keyring_key")
        cls.env["spar.keyring"]._initialise()


def seal_settings(env, *names):
    """Seal the settings of these models as they are, as if two people had approved."""
    env.flush_all()
    for name in names:
        env["spar.settings.seal"]._seal_as_it_is(env[name])
    env.invalidate_all()


class LoopbackMixin:
    """This server calls itself over HTTP, as if it were another one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.dict(os.environ, {ALLOW_VARIABLE: "127.0.0.0/8"}))

    def setUp(self):
        super().setUp()
        send = outgoing.send

        def send_to_this_server(*arguments, **more):
            with self.allow_requests(all_requests=True):
                return send(*arguments, **more)

        self.patch(outgoing, "send", send_to_this_server)


class RestCase(KeyringMixin, HttpCase):
    """Participants, and the calls that they make over HTTP.

    ``full`` may do everything, ``bank`` may link, update and resolve to yes or no.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_keyring()
        cls.secrets = {}
        cls.tokens = {}
        cls.set_up_directory()
        cls.full = cls.make_participant("full.example", **EVERY_RIGHT)
        cls.bank = cls.make_participant(
            "bank.example", may_link=True, may_update=True, may_resolve=True
        )

    @classmethod
    def set_up_directory(cls):
        """Create a kind of address with any number: ``account:<number>@BANK``."""
        cls.env["spar.fsp"].create({"name": "Test Bank", "code": "BANK"})
        parts = [("bank", "provider"), ("number", "text")]
        fa_type = cls.env["spar.fa.type"].create(
            {
                "name": "Any account",
                "code": "any_account",
                "part_ids": [
                    Command.create({"key": key, "label": key, "kind": kind})
                    for key, kind in parts
                ],
            }
        )
        cls.env["spar.fa.strategy"].create(
            {
                "name": "Any account",
                "type_id": fa_type.id,
                "template": "account:{number}@{bank}",
            }
        )

    @classmethod
    def make_participant(cls, sender_id, **values):
        """Return an active participant, by default one for demos.

        There, a token is enough for everything that it may do.
        """
        participant = cls.env["spar.participant"].create(
            {
                "name": sender_id,
                "sender_id": sender_id,
                "state": "active",
                "proof": "token",
                "demo_only": True,
                **values,
            }
        )
        cls.secrets[participant] = participant._set_new_client_secret()
        return participant

    def open(self, path, body=None, method="POST", **headers):
        """Call ``path`` under the base path; ``body`` is bytes or encoded as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{BASE_PATH}{path}"
        return self.url_open(url, data=body, headers=headers, method=method)

    def request_token(self, participant, **parameters):
        """Return the response to a token request with the participant's credentials."""
        form = {
            "grant_type": "client_credentials",
            "client_id": participant.client_id,
            "client_secret": self.secrets[participant],
            **parameters,
        }
        form = urlencode({name: value for name, value in form.items() if value})
        content_type = "application/x-www-form-urlencoded"
        return self.open(
            "/oauth2/client/token", form.encode(), Content_Type=content_type
        )

    def get_token(self, participant):
        if participant not in self.tokens:
            token = self.request_token(participant).json()["access_token"]
            self.tokens[participant] = token
        return self.tokens[participant]

    def call(self, participant, operation, body, **headers):
        """Post ``body`` to an operation with the participant's token."""
        headers = {
            "Authorization": f"Bearer {self.get_token(participant)}",
            "Content_Type": "application/json",
            **headers,
        }
        return self.open(f"/mapper/sync/{operation}", body, **headers)

    def send(self, participant, operation, items, **header):
        """Return the document that answers a valid message with ``items``."""
        message = build_message(operation, participant.sender_id, items, **header)
        response = self.call(participant, operation, message)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def ask(self, participant, operation, items, **header):
        """Return the answers to ``items``."""
        document = self.send(participant, operation, items, **header)
        return document["message"][f"{operation}_response"]

    def link(self, *keys, participant=None):
        """Link each key to ``account:<key>@BANK``."""
        items = build_items(*keys, fa="account:{}@BANK")
        answers = self.ask(participant or self.full, "link", items)
        self.assertEqual({answer["status"] for answer in answers}, {"succ"}, answers)

    def assertCodes(self, answers, *codes):
        found = [answer.get("status_reason_code") for answer in answers]
        self.assertEqual(found, list(codes), answers)

    def assertHttpError(self, response, status, code, text=""):
        """Assert that the response is the protocol's error document and no more."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.headers["Content-Type"], "application/json")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("Set-Cookie", response.headers)
        (error,) = response.json()["errors"]
        self.assertEqual(error["code"], code)
        self.assertIn(text, error["message"])
        self.assertNotIn("Traceback", response.text)
