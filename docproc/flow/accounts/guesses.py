"""Who may try a secret: counted before anything is computed for it, so that guessing costs us less than the guesser.

Three buckets. A name **from one address**: whoever fails there waits, and nobody elsewhere. An **address** with any
names. And a **name from all addresses** from which it did not sign in within 90 days: guessing from many places is
slowed down to one try each pause, and never locks, for who comes from where they signed in before is not counted
there. Names that nobody has are counted in the same way. So are one-time codes: a try is the name, the password and
the code together, and which of them was wrong is not told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from docproc.flow.core.context import Context
from docproc.store.accounts import tries
from docproc.store.accounts.tries import Bucket

HERE = Bucket(5, timedelta(minutes=3))
"""One name from one address."""
ADDRESS = Bucket(30, timedelta(seconds=30))
"""All names from one address."""
ANYWHERE = Bucket(20, timedelta(minutes=3))
"""One name from all addresses that it is not known from."""
KNOWN_FOR = timedelta(days=90)


def may_try(session: Session, name: str, address: str, at: datetime) -> bool:
    """Count a try; ``False`` where it must not be looked at."""
    known = tries.is_remembered(session, name, f"known {address}", at)
    if not tries.spend(session, name, f"here {address}", HERE, at):
        return False
    return known or (
        tries.spend(session, "", f"address {address}", ADDRESS, at)
        and tries.spend(session, name, "anywhere", ANYWHERE, at)
    )


def succeeded(session: Session, name: str, address: str, at: datetime) -> None:
    """The try was no guess: take it back, and know the address."""
    if not tries.is_remembered(session, name, f"known {address}", at):
        tries.give_back(session, "", f"address {address}")
        tries.give_back(session, name, "anywhere")
    tries.forget(session, name, f"here {address}")
    tries.remember(session, name, f"known {address}", at, at + KNOWN_FOR)


def spend_own(ctx: Context, name: str, what: str) -> bool:
    """Count a try of somebody who signed in at a secret of their own, such as the old password."""
    with ctx.database.write() as session:
        return tries.spend(session, name, f"own {what}", HERE, ctx.clock())


def forgive_own(session: Session, name: str, what: str) -> None:
    """It was right."""
    tries.forget(session, name, f"own {what}")


def forgive(session: Session, name: str) -> None:
    """Begin anew with a name: its secrets are new."""
    tries.forget_name(session, name)
