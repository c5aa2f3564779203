"""A bank that has closed, its successor, and people with addresses there."""

from datetime import date, timedelta
from unittest.mock import patch

from odoo.tools import mute_logger

from ..models.move import spar_move
from .common import ALARM_LOGGER, StoreCase


class MoveCase(StoreCase):
    """Old Bank has closed; New Bank takes over, with branches of the same codes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        branches = [
            (0, 0, {"name": "East", "code": "E1"}),
            (0, 0, {"name": "West", "code": "W1"}),
        ]
        cls.old, cls.new = cls.env["spar.fsp"].create(
            [
                {"name": "Old Bank", "code": "OLDB", "branch_ids": branches},
                {"name": "New Bank", "code": "NEWB", "branch_ids": branches},
            ]
        )
        cls.old_east, cls.old_west = cls.old.branch_ids.sorted("code")
        cls.new_east, cls.new_west = cls.new.branch_ids.sorted("code")
        cls.first = cls.create_user("administrator", "move-first")
        cls.second = cls.create_user("administrator", "move-second")

    def close(self, record=None, **values):
        """Close the provider or branch as of a week ago."""
        day = date.today() - timedelta(days=7)
        (record or self.old).write({"closed_on": day, **values})
        self.env.flush_all()

    def prepare(self, **values):
        """Return a move as the first administrator prepares it."""
        moves = self.env["spar.move"].with_user(self.first)
        return moves.create(
            {
                "provider_id": self.old.id,
                "successor_id": self.new.id,
                "reason": "Old Bank has closed",
                **values,
            }
        )

    def run_move(self, size=200):
        """Run the scheduled job, in pieces of ``size``."""
        with (
            patch.object(spar_move, "PIECE", size),
            mute_logger(ALARM_LOGGER),
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            self.env(cr=cr)["spar.move"]._cron_move()
        self.env.invalidate_all()

    def count(self, **values):
        """Return a move that was counted."""
        move = self.prepare(**values)
        move.action_count()
        self.run_move()
        return move

    def propose(self, **values):
        """Return a move that waits for a second person."""
        move = self.count(**values)
        move.action_propose()
        self.env.invalidate_all()
        return move

    def approve(self, move):
        move.setting_change_ids.with_user(self.second).action_approve()
        self.env.invalidate_all()

    def move_all(self, **values):
        """Return a move that two people decided on, and that has run."""
        move = self.propose(**values)
        self.approve(move)
        self.run_move()
        return move

    def get_left(self, move) -> dict[int, str]:
        """Return the places that are not moved, with the reasons."""
        return {left.mapping_id.id: left.code for left in move.sudo().left_ids}

    def get_alarms(self) -> list[tuple[str, int]]:
        """Return ``(table, row id)`` of the alarms raised in this test."""
        self.env.cr.execute(
            "SELECT table_name, row_id FROM spar_alarm WHERE id > %s ORDER BY id",
            (self.alarms_before,),
        )
        return self.env.cr.fetchall()

    def assert_sound(self):
        """Assert that the integrity check finds nothing and a commit would succeed."""
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.assertEqual(self.env["spar.audit"]._check_store(), [])
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")
