"""Errors as pages for people; programs get the same errors as problems (:mod:`api.problems`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from api.pages.render import is_fragment, page
from api.pages.seats import ElsewhereError
from api.problems import status_of
from docproc.errors import BusyError, DocprocError

Handler = Callable[[Request, Exception], Awaitable[Response]]
KINDS: tuple[type[Exception], ...] = (DocprocError, RequestValidationError, HTTPException)
GENERIC = {401: "error.401", 403: "error.403", 404: "error.404", 405: "error.404", 429: "error.429"}


def install(app: FastAPI) -> None:
    """Answer errors under the pages' addresses as pages; everything else as before."""
    for kind in KINDS:
        handler = app.exception_handlers[kind]
        app.add_exception_handler(kind, _for_people(handler))  # type: ignore[arg-type]


def _for_people(for_programs: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        path = request.url.path
        wants_page = "text/html" in request.headers.get("accept", "") or is_fragment(request)
        if path.startswith(("/v1/", "/static/")) or not wants_page:
            return await for_programs(request, error)
        return _shown(request, error)

    return handle


def _shown(request: Request, error: Exception) -> Response:
    if isinstance(error, ElsewhereError):
        return _sent(request, error.to)
    status = 422
    said: str | None = None
    if isinstance(error, DocprocError):
        status = status_of(error)
        said = error.message_zh if error.message_zh != DocprocError.message_zh else None
    elif isinstance(error, HTTPException):
        status = error.status_code
    key = GENERIC.get(status, "error.other")
    template = "error_fragment.html" if is_fragment(request) else "error.html"
    response = page(request, template, status, key=key, said=said, title=HTTPStatus(status).phrase)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _sent(request: Request, to: str) -> Response:
    """Send the visitor elsewhere; a fragment sends its whole page."""
    return Response(headers={"HX-Redirect": to}) if is_fragment(request) else RedirectResponse(to, 303)
