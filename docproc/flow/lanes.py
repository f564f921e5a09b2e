"""Who is served first: a citizen who waits at a machine before a batch, and kiosks in turn.

A queue gives out the lowest number first. The n-th waiting file of a submitter gets
the n-th place of its lane, so files of several kiosks come up in turn and none can
keep the others waiting by handing in much at once.
"""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy.orm import Session

from docproc.errors import BusyError
from docproc.store import pages

BATCH = "batch"
"""Channel of applications that nobody waits for."""
LaneName = Literal["person", "batch"]
LANES: tuple[LaneName, ...] = get_args(LaneName)
PERSON_LANE, BATCH_LANE = 1, 1_000_000
"""First place of each lane."""
BATCH_SHARE = 0.5
"""Part of the queue that batches may fill; the rest is kept for persons."""


def lane(channel: str) -> int:
    """Place of work that is not counted by submitter."""
    return BATCH_LANE if channel == BATCH else PERSON_LANE


def place(session: Session, channel: str, submitter: str) -> int:
    """Place in the reading queue of one more file of a submitter; the file must not be added yet."""
    return lane(channel) + min(pages.count_waiting(session, by=submitter), BATCH_LANE - 2)


def check_room(session: Session, channel: str, limit: int) -> None:
    """Refuse a file while too many wait, before anything is stored.

    Raises:
        BusyError: with the seconds after which room is likely.
    """
    allowed = int(limit * BATCH_SHARE) if channel == BATCH else limit
    waiting = pages.count_waiting(session)
    if waiting >= allowed:
        raise BusyError(f"{waiting} files wait to be read, {allowed} may", retry_after=30 if channel == BATCH else 10)
