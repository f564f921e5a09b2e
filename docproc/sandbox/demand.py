"""What this process demands of its sandboxes, and what it does where the machine does not give it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from docproc.errors import SetupError
from docproc.sandbox.confine import Held
from docproc.sandbox.policy import UID

log = logging.getLogger(__name__)
ALLOW_WEAK = "DOCPROC_ALLOW_WEAK_SANDBOX=true"


@dataclass(slots=True)
class _Demand:
    strict: bool = False
    uid: int = UID
    warned: bool = False


_demand = _Demand()


def demand(*, strict: bool, uid: int) -> None:
    """Say how parsers of this process must be held, before the first one starts.

    Args:
        strict: refuse to parse where the floor does not hold (a filter of system calls, and Landlock).
        uid: user that they run as where this process is root.
    """
    _demand.strict, _demand.uid = strict, uid


def user() -> int:
    """The user that parsers run as where this process is root."""
    return _demand.uid


def accept(held: Held) -> None:
    """Take note of what holds a parser; a warning, once, where that is not enough.

    Raises:
        SetupError: it is not enough, and nobody allowed that.
    """
    if held.is_enough:
        return
    told = f"foreign files are parsed where they can do harm: {'; '.join(held.problems)}"
    if _demand.strict:
        raise SetupError(f"{told}. To take the risk, set {ALLOW_WEAK}")
    if not _demand.warned:
        _demand.warned = True
        log.warning("%s", told)
