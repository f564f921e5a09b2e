"""Where others reach the service, foreign files are parsed in a sandbox that holds, unless a setting says otherwise."""

from __future__ import annotations

from docproc.flow.core.development import reachable
from docproc.sandbox.demand import demand
from docproc.sandbox.probe import PROBE
from docproc.settings import Settings


def is_strict(settings: Settings) -> bool:
    """Whether this deployment parses nothing where the kernel cannot shut a parser in."""
    return not settings.allow_weak_sandbox and (bool(reachable(settings)) or not settings.is_embedded)


def demand_sandbox(settings: Settings) -> None:
    """Hold the parsers of this process as its settings say; to be called before the first one starts."""
    demand(strict=is_strict(settings), uid=settings.sandbox_uid)


def refuse_weak_sandbox(settings: Settings) -> None:
    """As :func:`demand_sandbox`, and refuse to start where that cannot be had.

    Raises:
        SetupError: names what the kernel or the machine lacks, and what to do.
    """
    demand_sandbox(settings)
    if is_strict(settings):
        PROBE.held()
        PROBE.close()
