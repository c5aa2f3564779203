"""Which of several schedules of one kind is at work: each is a lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def get_number(env: Any, lanes: Sequence[str]) -> int:
    """The number, from 1, of the lane that works in ``env``; 0 for none of them."""
    at_work = env.context.get("cron_id")
    for number, name in enumerate(lanes, start=1):
        lane = env.ref(f"spar_g2p_connect.{name}", raise_if_not_found=False)
        if lane and lane.id == at_work:
            return number
    return 0
