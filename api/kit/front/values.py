"""What numbers, moments and texts of a request may be: what any database and any calendar can hold.

Every whole number that a route takes has both its ends, every moment becomes UTC here, once, and a text with a null
or half a surrogate pair is refused before anybody computes with it; ``tests/security/test_numbers_and_dates.py`` holds
every route to it. :mod:`docproc.store.db` refuses what comes by another way.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.kit.problems import answer
from docproc.domain import CHINA
from docproc.errors import UnstorableError

LAST = 2**63 - 1
"""Largest number of a line or an event."""
After = Annotated[int, Field(ge=0, le=LAST, description="Last number of the page before")]
Before = Annotated[int, Field(ge=1, le=LAST, description="Last number of the page before")]


def in_utc(value: datetime) -> datetime:
    """A moment in UTC; without a zone it is meant as in China.

    Raises:
        ValueError: it lies outside of the calendar there.
    """
    try:
        return (value if value.tzinfo is not None else value.replace(tzinfo=CHINA)).astimezone(UTC)
    except OverflowError:
        raise ValueError("outside of the years 1 to 9999") from None


Moment = Annotated[datetime, AfterValidator(in_utc)]


class PlainAddress:
    """Refuses addresses with a null in them: nothing that is named there can have one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            problem = answer(
                Request(scope), 422, UnstorableError.code, "a null in the address", UnstorableError.message_zh
            )
            await problem(scope, receive, send)
            return
        await self.app(scope, receive, send)
