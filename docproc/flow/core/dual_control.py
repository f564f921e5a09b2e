"""What counts is changed by two persons: one proposes, another confirms or refuses, and each change is closed once."""

from __future__ import annotations

from datetime import datetime

from docproc.errors import ConflictError
from docproc.flow.core.access import Caller
from docproc.store.tables.base import ProposedChange


def check_closable(caller: Caller, change: ProposedChange, what: str, same_zh: str, closed_zh: str) -> None:
    """Refuse to close a change by who proposed it, or twice; ``what`` is for the log, the others for the official.

    Raises:
        AccessError: the same person as proposed it.
        ConflictError: it is closed already.
    """
    caller.check_not(change.proposed_by, what, same_zh)
    if change.state != "open":
        raise ConflictError(f"change {change.id} is {change.state}", message_zh=closed_zh)


def close(caller: Caller, change: ProposedChange, at: datetime, *, refuse: bool) -> None:
    """Write down who closed a change, when and how; its effect is the caller's, in the same transaction."""
    change.state, change.closed_by, change.closed_at = "refused" if refuse else "confirmed", caller.subject, at
