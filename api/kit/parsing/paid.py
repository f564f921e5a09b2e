"""Work that opens what was sent: refused while its caller is in debt, done in turn, and paid by what it used."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, ParamSpec, TypeVar

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.kit.front.address import client_address, limit_key
from api.kit.parsing.allowance import Allowance
from api.kit.parsing.turns import Turns
from api.kit.problems import RateLimitError
from docproc.flow.core.access import Caller
from docproc.sandbox.spent import metered
from docproc.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
Lane = Literal["file", "photo", "papers"]
"""Sealed files, photographs and paper have slots of their own: none shuts the others."""


@dataclass(frozen=True, slots=True)
class Parsing:
    """Slots and allowances of this process."""

    lanes: dict[Lane, Turns]
    anonymous: Allowance
    keyed: Allowance

    @classmethod
    def of(cls, settings: Settings) -> Parsing:
        """By the settings and this machine's cores."""
        cores = settings.parse_slots or os.cpu_count() or 1
        lanes: dict[Lane, Turns] = {
            "file": Turns(cores, room=64, room_of_one=16, wait_s=20.0),
            "photo": Turns(max(1, cores // 2), room=24, room_of_one=3, wait_s=60.0),
            "papers": Turns(1, room=8, room_of_one=2, wait_s=60.0),
        }
        anonymous, keyed = settings.parse_seconds_per_minute, settings.parse_seconds_per_minute_key
        return cls(lanes, Allowance(anonymous), Allowance(keyed))


async def paid(
    request: Request, lane: Lane, caller: Caller | None, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do work in a thread when its caller's turn has come, and charge what its parsers computed.

    Args:
        request: whose address pays where there is no caller; the addresses of one IPv6 line are one.
        lane: which slots it takes.
        caller: who signed in, or whose key it is.
        work: what opens the file.
        args: of the work.
        kwargs: of the work.

    Raises:
        RateLimitError: the caller used up its allowance, or waits often enough already.
        BusyError: too many wait, or for too long.
    """
    parsing: Parsing = request.app.state.parsing
    name = limit_key(client_address(request)) if caller is None else f"key:{caller.key_id or caller.subject}"
    allowance = parsing.anonymous if caller is None else parsing.keyed
    _refuse_debt(allowance, name)
    async with parsing.lanes[lane].turn(name):
        _refuse_debt(allowance, name)  # it may have run into debt while this waited
        with metered() as meter:
            try:
                return await run_in_threadpool(work, *args, **kwargs)
            finally:
                allowance.pay(name, meter.cpu_s)


def solvent(request: Request) -> None:
    """Refuse an address that is in debt before the body of its request is read.

    Raises:
        RateLimitError: it used up its allowance.
    """
    parsing: Parsing = request.app.state.parsing
    _refuse_debt(parsing.anonymous, limit_key(client_address(request)))


Solvent = Depends(solvent)


def _refuse_debt(allowance: Allowance, name: str) -> None:
    wait = allowance.wait(name)
    if wait:
        told = f"over {allowance.per_minute:.0f} s of CPU a minute"
        raise RateLimitError(told, retry_after=math.ceil(wait))
