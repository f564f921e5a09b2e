"""The official behind the browser, as a dependency: signed in with password and one-time code."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.params import Depends as Dependency

from api.kit.bodies.declared import identifies, once_a_request
from api.kit.deps import Ctx
from api.kit.front.cookies import OFFICE, give_cookie, read_cookie
from api.kit.front.credentials import STALE_COST, guess
from api.kit.seats import ElsewhereError
from docproc.flow.accounts.users import SESSION_LASTS, Official, official
from docproc.flow.core.access import Act, Caller

ENTRANCE, PASSWORD = "/office/login", "/office/password"


@once_a_request
def find_official(request: Request, ctx: Ctx) -> Official | None:
    """Whose session the browser's cookie is, if it lives."""
    token = read_cookie(request, OFFICE)
    if not token:
        return None
    tried = guess(request, token, STALE_COST)
    found = official(ctx, token)
    if found is None:
        tried.wrong()
    else:
        tried.good()
    return found


@identifies
def signed_in(request: Request, found: Annotated[Official | None, Depends(find_official)]) -> Official:
    """Somebody who signed in, though perhaps with a password that must be changed.

    Raises:
        ElsewhereError: nobody did.
    """
    if found is None:
        raise ElsewhereError(ENTRANCE)
    return found


def at_work(request: Request, found: Annotated[Official, Depends(signed_in)]) -> Official:
    """Somebody who signed in with a password of their own; every page then shows their name.

    Raises:
        ElsewhereError: they have to choose a password first.
    """
    if found.must_change:
        raise ElsewhereError(PASSWORD)
    request.state.official = found
    return found


def caller_at_work(found: Annotated[Official, Depends(at_work)]) -> Caller:
    """The caller behind an official."""
    return found.caller


def official_may(act: Act) -> Dependency:
    """Dependency of a page that takes files: who may not do this is refused before they are read."""

    def check(caller: Annotated[Caller, Depends(caller_at_work)]) -> None:
        caller.require(act)

    return Dependency(check)


SignedIn = Annotated[Official, Depends(signed_in)]
Here = Annotated[Official, Depends(at_work)]
AsCaller = Annotated[Caller, Depends(caller_at_work)]


def give(request: Request, response: Response, token: str) -> None:
    """Hand the browser its session."""
    give_cookie(request, response, OFFICE, token, int(SESSION_LASTS.total_seconds()))
