"""Errors as RFC 9457 problems: ``application/problem+json`` with a Chinese ``detail`` for whoever looks at the screen.

``type`` and ``code`` are stable and meant for programs; ``title`` is the
developer's English text.
"""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from docproc.canonical import JsonObject
from docproc.errors import (
    AccessError,
    BusyError,
    ConflictError,
    DocprocError,
    InputError,
    LimitError,
    NotFoundError,
    UnsupportedFileError,
)
from docproc.flow.core.idempotency import ReusedKeyError
from docproc.log import working_on

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "urn:docproc:problem:"
STATUS: tuple[tuple[type[DocprocError], int], ...] = (
    (UnsupportedFileError, 415),
    (LimitError, 413),
    (ReusedKeyError, 422),
    (InputError, 422),
    (NotFoundError, 404),
    (ConflictError, 409),
    (AccessError, 403),
    (BusyError, 503),
)
"""First match counts; anything else is our fault: 500."""
PHRASES = {460: "Checksum Mismatch"}
"""Of statuses that only tus knows."""


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:docproc:problem:version_conflict",
                "title": "application is at version 4, not 3",
                "status": 409,
                "detail": "办件内容已变化，请刷新后重新审核",
                "code": "version_conflict",
                "instance": "/v1/applications/510116-FL-20261123-000001/decisions",
            }
        }
    )

    type: str = Field(description="`urn:docproc:problem:` and the code")
    title: str = Field(description="What went wrong, in English, for developers")
    status: int
    detail: str = Field(description="What to do, in Chinese, for the person at the screen")
    code: str = Field(description="Stable word for programs")
    instance: str = Field(description="Path of the request")
    failure: str | None = Field(None, description="Of an error of ours: the number under which the log has it")
    errors: list[JsonObject] | None = Field(None, description="What is wrong with which part of the request")


class UnauthorisedError(AccessError):
    """No API key, or a wrong or revoked one."""

    code = "unauthorised"
    message_zh = "请先登录"


class RateLimitError(BusyError):
    """Too many requests from one address."""

    code = "rate_limited"
    message_zh = "操作过于频繁，请稍后再试"


class HeaderError(InputError):
    """A header of a resumable upload that cannot be understood."""

    code = "wrong_header"


class ProtocolError(InputError):
    """A resumable upload in another version of its protocol."""

    code = "protocol_version"


class MediaTypeError(InputError):
    """The body has another Content-Type than this route takes."""

    code = "wrong_content_type"


class ChecksumError(InputError):
    """The bytes that came are not those that were sent: send them again."""

    code = "wrong_checksum"
    message_zh = "文件在传输中受损，正在重新发送"


class SlowBodyError(InputError):
    """The body came too slowly, or stopped coming: nothing was taken in."""

    code = "too_slow"
    message_zh = "上传过慢或中断，请检查网络后重新上传"


TUS: dict[type[DocprocError], int] = {HeaderError: 400, ProtocolError: 412, MediaTypeError: 415, ChecksumError: 460}


def problems(*statuses: int) -> dict[int | str, JsonObject]:
    """``responses`` of a route: which problems it answers with."""
    body = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {status: {"description": PHRASES.get(status) or HTTPStatus(status).phrase, **body} for status in statuses}


def answer(
    request: Request,
    status: int,
    code: str,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """A problem as a response."""
    body = {
        "type": TYPE_BASE + code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": request.url.path,
        **more,
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""
    app.add_exception_handler(DocprocError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unknown)


def status_of(error: DocprocError) -> int:
    """HTTP status of one of our errors."""
    if isinstance(error, UnauthorisedError):
        return 401
    if isinstance(error, RateLimitError):
        return 429
    if isinstance(error, SlowBodyError):
        return 408
    if type(error) in TUS:
        return TUS[type(error)]
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


async def _known(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DocprocError)
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, BusyError):
        headers["Retry-After"] = str(error.retry_after)
    if status == 500:
        failure = secrets.token_hex(6)
        with working_on(**_ids(request), failure=failure):
            log.error("%s %s: %s", request.method, _route(request), error)
        return _failed(request, error.code, failure)
    more = {"errors": list(error.errors)} if isinstance(error, InputError) and error.errors else {}
    return answer(request, status, error.code, str(error), error.message_zh, headers, **more)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [{"where": ".".join(map(str, item["loc"])), "problem": item["msg"]} for item in error.errors()]
    return answer(request, 422, "invalid_request", "the request is not valid", "请求内容格式不正确", errors=found)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name.lower()
    headers = dict(error.headers) if error.headers else None
    return answer(request, error.status_code, code, str(error.detail), "请求无法处理", headers)


async def _gone(request: Request, error: Exception) -> JSONResponse:
    """The line broke before all of the request was here: nothing was taken in, and nobody reads this answer."""
    with working_on(**_ids(request)):
        log.info("%s %s: the client went away", request.method, _route(request))
    return answer(request, 400, "incomplete_request", "the request did not arrive whole", "请求未完整送达，请重新提交")


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    failure = secrets.token_hex(6)
    with working_on(**_ids(request), failure=failure):
        log.error("%s %s failed", request.method, _route(request), exc_info=error)
    return _failed(request, "error", failure)


def _failed(request: Request, code: str, failure: str) -> JSONResponse:
    """Our fault: the answer bears the number under which the log has it."""
    detail = f"{DocprocError.message_zh}（编号 {failure}）"
    return answer(request, 500, code, "internal error", detail, failure=failure)


def _route(request: Request) -> str:
    """The route's own path: what stands in an address may be a secret, as in links and receipts."""
    return str(getattr(request.scope.get("route"), "path", "none"))


def _ids(request: Request) -> dict[str, str]:
    """The application and the page that the address names."""
    names = {"number": "licence" if "licences" in _route(request) else "application", "page_id": "page"}
    return {names[name]: value for name, value in request.path_params.items() if name in names}
