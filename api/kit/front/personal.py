"""What is personal is kept by nobody on its way, and is not given before the access log has it.

Every answer is ``Cache-Control: no-store`` but those that say themselves that they are public, and a few that everybody
gets alike: a new route is private until somebody says otherwise.
"""

from __future__ import annotations

import logging
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.front.address import client_address
from api.kit.problems import answer
from docproc.errors import DocprocError, UnavailableError
from docproc.flow.core import reads

log = logging.getLogger(__name__)
PURPOSE = "purpose"
"""Header in which a program says what it asks for content for, as text of up to 200 characters, percent-encoded."""
ALIKE = ("/openapi.json", "/docs", "/v1/matters", "/v1/matters/{matter}")
"""Routes whose answer is the same for everybody; they may be kept as the visitor likes."""


class Personal:
    """Wraps the routes: stores what was given before it goes out, and forbids others to keep it."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        refused = False

        async def guarded(message: Message) -> None:
            nonlocal refused
            if refused:
                return  # what was to be given is not
            if message["type"] == "http.response.start":
                if asked.looks:
                    try:
                        await run_in_threadpool(reads.store, scope["app"].state.context, asked)
                    except Exception as error:
                        refused = True
                        await _refusal(request, error)(scope, receive, send)
                        return
                _forbid(scope, message)
            await send(message)

        with reads.asked(client_address(request), _stated(Headers(scope=scope))) as asked:
            await self.app(scope, receive, guarded)


def _refusal(request: Request, error: Exception) -> Response:
    """What is answered in place of content whose reading cannot be logged."""
    log.error("a reading cannot be logged and is not given", exc_info=error)
    known = error if isinstance(error, DocprocError) else UnavailableError("the access log takes no line")
    headers = {"Retry-After": "5", "Cache-Control": "no-store"}
    return answer(request, 503, known.code, "the reading cannot be logged", known.message_zh, headers)


def _stated(headers: Headers) -> str:
    return "".join(c for c in unquote(headers.get(PURPOSE, "")) if c.isprintable())


def _forbid(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(scope=message)
    said = headers.get("cache-control", "")
    if said.startswith("public") or getattr(scope.get("route"), "path", scope["path"]) in ALIKE:
        return
    headers["Cache-Control"] = "no-store"
