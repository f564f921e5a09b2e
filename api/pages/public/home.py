"""The first page, and the switch of language."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.front.cookies import give_cookie
from api.kit.i18n.words import COOKIE, LANGUAGES
from api.kit.render import page

router = APIRouter(route_class=HeadFirst)
YEAR_SECONDS = 365 * 86400


@router.get("/")
def home(request: Request) -> Response:
    """Where to go."""
    return page(request, "home.html")


@router.post("/language", dependencies=[Csrf])
def language(request: Request, to: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> Response:
    """Change the language and go back to where the visitor was."""
    response = RedirectResponse(own_path(back), 303)
    give_cookie(request, response, COOKIE, to if to in LANGUAGES else "zh", YEAR_SECONDS)
    return response


def own_path(back: str) -> str:
    """A path on this site, or the first page: nobody is sent elsewhere."""
    parts = urlsplit(back.replace("\\", "/"))
    ours = not parts.scheme and not parts.netloc and parts.path.startswith("/") and not parts.path.startswith("//")
    return back if ours else "/"
