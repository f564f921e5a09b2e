"""Who is served first: a citizen who waits at a machine before a batch, and kiosks in turn.

A queue gives out the lowest number first. A submitter's file gets the place after its
last one, or the place that is being served now, whichever is later (start-time fair
queueing, Goyal, Vin and Cheng 1996): files of several kiosks come up in turn, none can
keep the others waiting by submitting much at once, and since the place that is served
only grows while anything waits, no file is overtaken for ever by those that keep coming.
"""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy.orm import Session

from docproc.errors import BusyError
from docproc.store.applications import pages

BATCH = "batch"
"""Channel of applications that nobody waits for."""
LaneName = Literal["person", "batch"]
LANES: tuple[LaneName, ...] = get_args(LaneName)
PERSON_LANE, BATCH_LANE = 1, 1_000_000
"""First place of each lane."""
LAST_PLACE = 2**31 - 1
"""Of batches. A queue that is not empty for weeks comes to the end of its lane: files are served as they came there."""
BATCH_SHARE = 0.5
"""Part of the queue that batches may fill; the rest is kept for persons."""


def lane(channel: str) -> int:
    """Place of work that is not counted by submitter."""
    return BATCH_LANE if channel == BATCH else PERSON_LANE


def place(session: Session, channel: str, submitter: str) -> int:
    """Place in the reading queue of one more file of a submitter; the file must not be added yet."""
    first = lane(channel)
    last = BATCH_LANE - 1 if first < BATCH_LANE else LAST_PLACE
    now, own = pages.places(session, submitter, first, last)
    return min(max(now or first, own + 1 if own else first), last)


def check_room(session: Session, channel: str, limit: int) -> None:
    """Refuse a file while too many wait, before anything is stored.

    Raises:
        BusyError: with the seconds after which room is likely.
    """
    allowed = int(limit * BATCH_SHARE) if channel == BATCH else limit
    waiting = pages.count_waiting(session)
    if waiting >= allowed:
        raise BusyError(f"{waiting} files wait to be read, {allowed} may", retry_after=30 if channel == BATCH else 10)
