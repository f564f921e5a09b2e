"""What routes depend on: the opened service, the caller behind an API key, Idempotency-Key, rate limits, uploads.

And that a query has no parameter that the route does not name.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from api.kit.bodies.declared import Takes, identifies, once_a_request, takes
from api.kit.front.address import client_address, limit_key
from api.kit.front.credentials import guess
from api.kit.limits import RateLimit
from api.kit.problems import RateLimitError, UnauthorisedError
from docproc.errors import InputError
from docproc.flow.accounts.api_keys import authenticate
from docproc.flow.core.access import Act, Caller
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once
from docproc.store.blobs.source import Source, source_of

bearer = HTTPBearer(auto_error=False, description="API key: `Authorization: Bearer dp_…`")
CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")
CLOCK_SECONDS = 5.0
"""A clock that was right is looked at again after so long."""


@once_a_request
def get_context(request: Request) -> Context:
    """The service that this process opened at its start, with the matters that are in force now.

    Raises:
        UnavailableError: something is to be done or judged while this machine's clock is wrong; dates would be, too.
    """
    found: Context = request.app.state.context
    found.refresh()
    if request.method not in CHANGES_NOTHING:
        _check_clock(request, found)
    return found


def _check_clock(request: Request, ctx: Context) -> None:
    now, state = time.monotonic(), request.app.state
    if now - state.clock_seen > CLOCK_SECONDS:
        ctx.check_clock()
        state.clock_seen = now


Ctx = Annotated[Context, Depends(get_context)]
Fresh = Depends(get_context)
"""For routes that ask the catalogue and nothing else."""


@once_a_request
def anybody(request: Request) -> None:
    """A request that needs no key is counted to its address, once; its cost is no parameter of the query.

    Raises:
        RateLimitError: too many in the last minute.
    """
    public(request)


def public(request: Request, cost: float = 1.0) -> None:
    """Limit requests without a key by address; the addresses of one IPv6 line share theirs.

    Raises:
        RateLimitError: too many in the last minute.
    """
    limit: RateLimit = request.app.state.rate_limit
    wait = limit.take(limit_key(client_address(request)), cost)
    if wait:
        raise RateLimitError(f"over {limit.per_minute} requests a minute", retry_after=math.ceil(wait))


@identifies
def get_caller(
    request: Request, ctx: Ctx, given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Caller:
    """Whose key came with the request.

    Raises:
        UnauthorisedError: none, or it is wrong, revoked, at its end, or for other addresses.
    """
    if given is None:
        public(request)
        raise UnauthorisedError("send Authorization: Bearer with a valid API key, from an address that it is for")
    tried = guess(request, given.credentials)
    caller = authenticate(ctx, given.credentials, client_address(request))
    if caller is None:
        tried.wrong()
        raise UnauthorisedError("send Authorization: Bearer with a valid API key, from an address that it is for")
    tried.good()
    return caller


Who = Annotated[Caller, Depends(get_caller)]
Public = Depends(anybody)


def may(act: Act) -> Dependency:
    """Dependency of a route that takes files: whose key may not do this is refused before they are read."""

    def check(who: Who) -> None:
        who.require(act)

    return Dependency(check)


IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Any text of up to 200 characters, fresh for each request; a repetition gets the first answer",
        min_length=1,
        max_length=200,
    ),
]


def once_for(request: Request, key: str | None, *parts: bytes | str | Source) -> Once | None:
    """The Idempotency-Key with a hash of everything asked; ``None`` without a key."""
    if key is None:
        return None
    digest = hashlib.sha256()
    for part in (request.method, request.url.path, *parts):
        source = source_of(part.encode() if isinstance(part, str) else part)
        digest.update(source.size.to_bytes(8, "big"))
        for piece in source.pieces():
            digest.update(piece)
    return Once(key, digest.hexdigest())


@takes(Takes("json"))
async def get_once(request: Request, idempotency_key: IdempotencyKey = None) -> Once | None:
    """The Idempotency-Key of a request whose body is JSON."""
    return once_for(request, idempotency_key, await request.body())


OnceJson = Annotated[Once | None, Depends(get_once)]


class UnknownParameterError(InputError):
    """The query has a parameter that this route does not know."""

    code = "unknown_parameter"
    message_zh = "请求带有无法识别的参数"


def refuse_unknown(request: Request) -> None:
    """Refuse query parameters that the route does not name, for what is ignored is believed to work.

    A search with a mistyped parameter would otherwise give out everything as its result. Pages for people ignore
    unknown parameters, since addresses that are passed on in chats and messages get additions.

    Raises:
        UnknownParameterError: there is one; the problem lists those that exist.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = tuple(dict.fromkeys(names(route.dependant)))
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        told = ", ".join(map(repr, unknown))
        raise UnknownParameterError(
            f"unknown query parameter {told}; this route has {', '.join(known) or 'none'}",
            message_zh=f"请求带有无法识别的参数：{'、'.join(name[:60] for name in unknown)}",
            errors=[
                {"where": f"query.{name}", "problem": "unknown parameter", "known": list(known)} for name in unknown
            ],
        )


def names(dependant: Dependant) -> Iterator[str]:
    """Names of a route's query parameters as they stand in an address, those of its dependencies among them."""
    for item in dependant.query_params:
        model = item.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (field.alias or name for name, field in model.model_fields.items())
        else:
            yield item.alias
    for inner in dependant.dependencies:
        yield from names(inner)


KnownQuery = Depends(refuse_unknown)
"""For every router under ``/v1``."""
