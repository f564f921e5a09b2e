"""Errors as pages for people; programs get the same errors as problems (:mod:`api.kit.problems`).

A page's own script is no program of somebody else: what it is told is shown, so it is in the page's language.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException

from api.kit.i18n.said import say
from api.kit.i18n.words import language_of
from api.kit.problems import status_of
from api.kit.render import is_fragment, page
from api.kit.seats import ElsewhereError
from docproc.errors import BusyError, DocprocError

Handler = Callable[[Request, Exception], Awaitable[Response]]
KINDS: tuple[type[Exception], ...] = (DocprocError, RequestValidationError, HTTPException, Exception)
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
        if path.startswith(("/v1/", "/static/")):
            return await for_programs(request, error)
        if not wants_page:
            return _in_language(request, await for_programs(request, error))
        if isinstance(error, ElsewhereError) or _is_theirs(error):
            return _shown(request, error)
        problem = await for_programs(request, error)  # it is logged there, and has its number
        return _told(request, error, problem.status_code, json.loads(bytes(problem.body))["detail"])

    return handle


def _in_language(request: Request, problem: Response) -> Response:
    """The problem with its ``detail`` in the language of the page."""
    language = language_of(request)
    if language == "zh":
        return problem
    body = json.loads(bytes(problem.body))
    body["detail"] = Markup(say(language, body["detail"])).striptags()
    headers = {key: value for key, value in problem.headers.items() if key not in ("content-length", "content-type")}
    return JSONResponse(body, problem.status_code, headers, problem.media_type)


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
    return _told(request, error, status, said)


def _is_theirs(error: Exception) -> bool:
    """Whether an error is the visitor's, or passes, and no failure of ours."""
    if isinstance(error, DocprocError):
        return status_of(error) != 500
    return isinstance(error, (RequestValidationError, HTTPException))


def _told(request: Request, error: Exception, status: int, said: str | None) -> Response:
    key = GENERIC.get(status, "error.other")
    template = "error_fragment.html" if is_fragment(request) else "error.html"
    response = page(request, template, status, key=key, said=said, title=HTTPStatus(status).phrase)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _sent(request: Request, to: str) -> Response:
    """Send the visitor elsewhere; a fragment sends its whole page."""
    return Response(headers={"HX-Redirect": to}) if is_fragment(request) else RedirectResponse(to, 303)
