"""The channels that deliver notices: the role ``spar.notice.channel``."""

from odoo import models
from odoo.exceptions import UserError
from odoo.orm.model_classes import add_to_registry
from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.lib.contract import Details, LinkRequest

from .common import FA, ID, OTHER_FA, OTHER_ID, StoreCase

PHONE = "+9995550101"


class StandInChannel(models.AbstractModel):
    """A channel that records what it is given."""

    _name = "x.notice.channel"
    _description = "Channel of a test"
    _inherit = ["spar.notice.channel"]
    _module = None

    queued: list[tuple[str, str, str]] = []
    is_failing = False

    def _queue_notice(self, notice_sudo, contact):
        if StandInChannel.is_failing:
            raise UserError("the channel cannot queue anything")
        kind = notice_sudo.event_id.kind
        StandInChannel.queued.append((kind, notice_sudo.state, contact))


@tagged("-at_install", "post_install")
class TestNoticeChannel(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        add_to_registry(cls.registry, StandInChannel)
        name = StandInChannel._name
        cls.registry._setup_models__(cls.env.cr, [name])
        cls.addClassCleanup(cls.registry.__delitem__, name)

    def setUp(self):
        super().setUp()
        StandInChannel.queued = []
        StandInChannel.is_failing = False

    def test_channel_gets_each_notice_once(self):
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        kinds = [kind for kind, _state, _contact in StandInChannel.queued]
        self.assertEqual(kinds, ["linked", "updated"])

    def test_channel_gets_each_notice_of_a_batch(self):
        self.mapper._link_fa(
            self.call,
            [LinkRequest(ID, FA), LinkRequest(OTHER_ID, OTHER_FA)],
        )
        self.assertEqual(len(StandInChannel.queued), 2)

    def test_channel_gets_the_contact_known_before_the_event(self):
        self.link(ID, FA, details=Details("Ada", PHONE))
        self.update(ID, OTHER_FA, details=Details("Ada", "+9995550202"))
        self.assertEqual(
            StandInChannel.queued,
            [("linked", "letter", ""), ("updated", "queued", PHONE)],
        )

    def test_channel_gets_nothing_for_a_request_that_is_refused(self):
        self.update(ID, OTHER_FA)
        self.assertEqual(StandInChannel.queued, [])

    def test_error_of_a_channel_undoes_the_event(self):
        StandInChannel.is_failing = True
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.link(ID, FA)
        self.assertIsNone(self.get_fa(ID))

    def test_notices_are_stored_without_a_channel(self):
        channels = self.env["spar.notice.channel"]
        self.patch(type(channels), "_get_channels", lambda _self: [])
        self.link(ID, FA)
        events = self.subject_of(ID).event_ids
        notices = self.env["spar.notice"].search([("event_id", "in", events.ids)])
        self.assertEqual(len(notices), 1)
        self.assertEqual(StandInChannel.queued, [])
