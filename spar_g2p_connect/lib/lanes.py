"""Queue workers: several scheduled actions that process the same queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def get_number(env: Any, lanes: Sequence[str]) -> int:
    """Return the number, from 1, of the worker that runs in ``env``; 0 for none."""
    at_work = env.context.get("cron_id")
    for number, name in enumerate(lanes, start=1):
        lane = env.ref(f"spar_g2p_connect.{name}", raise_if_not_found=False)
        if lane and lane.id == at_work:
            return number
    return 0
