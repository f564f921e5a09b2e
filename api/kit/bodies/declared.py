"""What a route takes as its body: said by the dependency that wants it, found from the route, and by nothing else.

A dependency that reads a body is marked with :func:`takes`; one that finds out who sends a request with
:func:`identifies`. From both, and from the body that FastAPI itself reads, :func:`declared` knows a route's limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import wraps
from inspect import signature
from typing import Any, Literal, ParamSpec, TypeVar

from fastapi import Request, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from docproc.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
Kind = Literal["nothing", "json", "form", "files", "stream"]

SMALL_BYTES = 1 << 16
"""Largest body of a sender that nobody knows, where no file is wanted."""
JSON_BYTES = 1 << 20
"""Largest body of a sender that is known, where no file is wanted."""
OVERHEAD = 1 << 16
"""Room for the framing of multipart/form-data around files, and for the fields beside them."""
MAX_FIELDS = 100
"""Fields of a form, where its route names no other number."""


@dataclass(frozen=True, slots=True)
class Takes:
    """What a route takes.

    ``bytes`` is the most of all files together (of the whole body where there are no files) under the service's
    settings; ``None``: as much as a body without files may have.
    """

    kind: Kind
    bytes: Callable[[Settings], int] | None = None
    files: int = 0
    """Most files of one request."""
    fields: int = MAX_FIELDS
    """Most fields of a form."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a route takes, and whether it is for senders that are known."""

    takes: Takes
    known: bool

    def limit(self, settings: Settings) -> int:
        """Most bytes of the body."""
        if self.takes.bytes is None:
            return JSON_BYTES if self.known else SMALL_BYTES
        return self.takes.bytes(settings) + (OVERHEAD if self.takes.kind == "files" else 0)

    @property
    def is_large(self) -> bool:
        """Whether files are taken."""
        return self.takes.kind in ("files", "stream")


_TAKES: dict[Callable[..., Any], Takes] = {}
_IDENTIFIES: set[Callable[..., Any]] = set()


def takes(what: Takes) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a dependency that reads the body."""

    def mark(reads: Callable[P, R]) -> Callable[P, R]:
        _TAKES[reads] = what
        return reads

    return mark


def once_a_request(finds: Callable[P, R]) -> Callable[P, R]:
    """Have a dependency asked once for each request, though it is needed before the body and after it.

    What it gets beside the request comes from the request too.
    """
    names = signature(finds)

    @wraps(finds)
    def once(*args: P.args, **kwargs: P.kwargs) -> R:
        request: Request = names.bind(*args, **kwargs).arguments["request"]
        found: dict[object, R] = request.scope.setdefault("docproc.found", {})
        if finds not in found:
            found[finds] = finds(*args, **kwargs)
        return found[finds]

    return once


def identifies(finds: Callable[P, R]) -> Callable[P, R]:
    """Mark a dependency that finds out who sends a request; it is asked once for each request."""
    once = once_a_request(finds)
    _IDENTIFIES.add(once)
    return once


def declared(route: APIRoute) -> Declared:
    """What a route takes."""
    calls = list(_calls(route.dependant))
    wanted = [_TAKES[call] for call in calls if call in _TAKES]
    known = any(call in _IDENTIFIES for call in calls)
    if route.body_field is not None:
        wanted.append(Takes("form" if isinstance(route.body_field.field_info, params.Form) else "json"))
    if not wanted:
        return Declared(Takes("nothing"), known)
    first = max(wanted, key=_order)
    return Declared(replace(first, fields=max(item.fields for item in wanted if item.kind == first.kind)), known)


def head_of(dependant: Dependant) -> Dependant:
    """The dependencies of a route that need nothing of the body, and the parameters of its address and headers."""
    kept = [item for item in dependant.dependencies if not _reads_body(item)]
    return replace(dependant, dependencies=kept, body_params=[])


def _order(item: Takes) -> tuple[int, bool]:
    """Files go before a form: a form may have files in it."""
    return ("nothing", "json", "form", "files", "stream").index(item.kind), item.bytes is not None


def _reads_body(dependant: Dependant) -> bool:
    return bool(dependant.body_params) or dependant.call in _TAKES or any(map(_reads_body, dependant.dependencies))


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for item in dependant.dependencies:
        if item.call is not None:
            yield item.call
        yield from _calls(item)
