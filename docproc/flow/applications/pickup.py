"""The code by which an applicant picks the result up at the counter.

It is random and shown once, to who opens the receipt's page; only its Argon2id hash is kept, so nobody who works
here can know it or work it out from what they see. Who lost it makes another one, and the former is void: when that
was, and how often, stands on the page and in the audit log, so that nobody else's showing stays unseen.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.errors import ConflictError
from docproc.flow.core import views
from docproc.flow.core.access import SYSTEM
from docproc.flow.core.context import Context
from docproc.flow.core.passwords import hash_password, verifies
from docproc.store.applications import applications
from docproc.store.audit import audit
from docproc.store.counter import custody, pickup
from docproc.store.licences import licences
from docproc.store.wallet import shares

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 that are not taken for each other."""
LENGTH = 8
"""40 random bits, each guess at the cost of Argon2id."""


class PickupState(TypedDict):
    """What the page of a receipt tells of the code."""

    ready: bool
    """There is something to pick up."""
    times: int
    """How often a code was shown."""
    shown_at: datetime | None
    """When the one that counts was."""


def pickup_state(ctx: Context, session: Session, number: str) -> PickupState:
    """Whether there is something to pick up, and whether a code was shown."""
    kept = pickup.find_code(session, number)
    return {
        "ready": _is_ready(ctx, session, number),
        "times": kept.times if kept is not None else 0,
        "shown_at": kept.made_at if kept is not None else None,
    }


def show_code(ctx: Context, follow_code: str) -> str:
    """Make the code, shown this once; a former one is void.

    Raises:
        NotFoundError: no application has this follow code.
        ConflictError: nothing is to be picked up.
    """
    with ctx.database.read() as session:
        number = shares.followed(session, follow_code).number
        _check(ctx, session, number)
    word = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    hashed = hash_password(word)
    with ctx.database.write() as session:
        applications.find_application(session, number, lock=True)
        _check(ctx, session, number)
        row = pickup.keep_code(session, number, hashed, ctx.clock())
        audit.append(session, row.made_at, SYSTEM, "pickup.shown", number, times=row.times)
    return f"{word[: LENGTH // 2]}-{word[LENGTH // 2 :]}"


def is_code(kept: str | None, typed: str) -> bool:
    """Whether a typed code is the one behind a hash; takes its time, so never inside a unit of work."""
    plain = "".join(letter for letter in typed.upper() if letter.isalnum())
    return verifies(kept, plain)


def _check(ctx: Context, session: Session, number: str) -> None:
    if not _is_ready(ctx, session, number):
        raise ConflictError(f"application {number} has nothing to pick up", message_zh="目前没有可以领取的证照")


def _is_ready(ctx: Context, session: Session, number: str) -> bool:
    licence = licences.licence_of_application(session, number)
    valid = licence is not None and licence.sha256 is not None and views.licence_status(licence, ctx.today()) == "valid"
    return valid and not custody.count(session, number, "handed_over")
