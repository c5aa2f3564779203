"""Queue workers: several scheduled actions that process the same queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def wake_workers(env: Any, names: Sequence[str]) -> None:
    """Wake these workers as soon as the current transaction has committed."""
    for name in names:
        cron_sudo = env.ref(f"spar_g2p_connect.{name}").sudo()
        cron_sudo._trigger()


def get_worker_number(env: Any, names: Sequence[str]) -> int:
    """Return the number, from 1, of the worker that runs in ``env``; 0 for none.

    ``names`` are the XML IDs of the queue's scheduled actions, in order.
    """
    running_id = env.context.get("cron_id")
    for number, name in enumerate(names, start=1):
        cron = env.ref(f"spar_g2p_connect.{name}", raise_if_not_found=False)
        if cron and cron.id == running_id:
            return number
    return 0
