"""Releasing many seals at once, and how far they have come.

Each release is a transaction of its own with the same rules as a single one, and takes its application out of what
waits. A batch that was cut short is therefore started again as it was: nothing is released or sealed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from docproc.errors import AccessError, ConflictError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.review.decisions import release
from docproc.store.applications import applications

CHUNK = 200
MOST = 10_000
"""Applications in one batch, unless another number is asked for."""


@dataclass(frozen=True, slots=True)
class Released:
    """What a batch released."""

    numbers: tuple[str, ...]
    """Applications whose seal was released now, or before and is not there yet."""
    refused: tuple[tuple[str, str], ...]
    """Number and reason, in Chinese, of those that the caller may not release."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the seals of a batch have come."""

    sealed: int
    pending: int
    failed: tuple[tuple[str, str], ...]
    """Number and reason, in Chinese; a person must act first."""


def release_batch(
    ctx: Context,
    caller: Caller,
    *,
    matter: str | None = None,
    limit: int = MOST,
    retry_failed: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Released:
    """Release the seals of approved applications, oldest number first.

    Args:
        ctx: the service.
        caller: a sealer; what he approved himself is refused, as ever.
        matter: only of this matter.
        limit: at most so many.
        retry_failed: also those whose sealing failed before.
        progress: told how many were looked at.

    Raises:
        AccessError: not a sealer.
    """
    caller.require("release")
    states = ("awaiting_release", "queued", "waiting", *(("failed",) if retry_failed else ()))
    numbers, refused = [], []
    for number, version, state in _approved(ctx, caller, states, matter, limit):
        try:
            if state not in ("queued", "waiting"):
                release(ctx, caller, number, version)
            numbers.append(number)
        except AccessError as error:
            refused.append((number, error.message_zh))
        except ConflictError:  # somebody was faster: a single release, or another batch
            numbers.append(number)
        progress(len(numbers) + len(refused))
    return Released(tuple(numbers), tuple(refused))


def batch_progress(ctx: Context, numbers: Sequence[str]) -> Progress:
    """How far the seals of these applications have come."""
    sealed, pending, failed = 0, 0, []
    for start in range(0, len(numbers), CHUNK):
        with ctx.database.read() as session:
            for number, state, note in applications.seal_states(session, numbers[start : start + CHUNK]):
                sealed += state == "sealed"
                pending += state in ("queued", "waiting")
                failed += [(number, note)] if state == "failed" else []
    return Progress(sealed, pending, tuple(failed))


def _approved(
    ctx: Context, caller: Caller, states: Sequence[str], matter: str | None, limit: int
) -> Iterator[tuple[str, int, str]]:
    """Number, version and state of the seal; read in chunks, so that no transaction is open while one is released."""
    org = None if caller.sees_all else caller.org
    after, left = "", limit
    while left > 0:
        with ctx.database.read() as session:
            found = applications.approved(session, states, org, matter, after, min(CHUNK, left))
        if not found:
            return
        yield from found
        after, left = found[-1][0], left - len(found)
