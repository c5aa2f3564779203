"""The call of a mapper that executes an operation; see ``spar.mapper``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .contract import Operation

#: Operation -> its call, which takes the mapper, the context and the requests.
MAPPER_CALLS: dict[Operation, Callable[..., Any]] = {
    Operation.LINK: lambda mapper, call, requests: mapper._link_fa(call, requests),
    Operation.UPDATE: lambda mapper, call, requests: mapper._update_fa(call, requests),
    Operation.UNLINK: lambda mapper, call, requests: mapper._unlink_fa(call, requests),
    Operation.SUSPEND: lambda mapper, call, requests: mapper._suspend_fa(
        call, requests
    ),
    Operation.RESUME: lambda mapper, call, requests: mapper._resume_fa(call, requests),
    Operation.RESOLVE: lambda mapper, call, requests: mapper._resolve_fa(
        call, requests
    ),
    Operation.LOCK: lambda mapper, call, requests: mapper._lock_changes(call, requests),
    Operation.UNLOCK: lambda mapper, call, requests: mapper._unlock_changes(
        call, requests
    ),
}
