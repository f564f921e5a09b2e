"""Query parameters of ``/v1``: one that a route does not name is refused, for what is ignored is believed to work.

A search with a mistyped parameter would otherwise give out everything as its result. Pages for people ignore unknown
parameters, since addresses that are passed on in chats and messages get additions.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from docproc.errors import InputError


class UnknownParameterError(InputError):
    """The query has a parameter that this route does not know."""

    code = "unknown_parameter"
    message_zh = "请求带有无法识别的参数"


def refuse_unknown(request: Request) -> None:
    """Refuse query parameters that the route does not name; HEAD and GET alike.

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
