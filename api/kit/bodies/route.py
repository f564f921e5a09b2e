"""Routes that know who sends a request before a byte of its body is read.

FastAPI reads and parses a body first and asks its dependencies afterwards. Here the dependencies that need nothing of
the body come first: rate limits, key, session, role, and what they refuse is refused with the body unread. Then the
route's limit is held against what is announced, room is taken in the share of whoever sends it, and the body comes in:
files to disk, all else within a megabyte. Only then FastAPI is asked to go on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import solve_dependencies
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.formparsers import FormParser, MultiPartException
from starlette.requests import ClientDisconnect

from api.kit.bodies.declared import Declared, Takes, declared, head_of
from api.kit.bodies.incoming import SCOPE_KEY, Incoming, give_back, incoming
from api.kit.bodies.json_shape import check_shape
from api.kit.bodies.multipart import FIELD_BYTES, FormError, FormReader
from api.kit.bodies.room import Owner, Room, Rooms
from api.kit.bodies.spool import Files, SpooledFile
from api.kit.front.address import client_address, limit_key
from docproc.flow.core.access import Caller
from docproc.settings import Settings

STEP_BYTES = 1 << 18
"""Room on disk that a body takes at a time, as it comes."""
OBJECTS = 8
"""Memory that a small body may need once it is read, in its own size."""
COPIES = 2
"""Memory that a file needs which is handed to somebody as one object, in its own size."""
_SENT, _OWNER = "docproc.sent", "docproc.owner"


@dataclass(frozen=True, slots=True)
class Sent:
    """The body of a request, once all of it is there."""

    files: tuple[tuple[str, SpooledFile], ...] = ()
    """Field and file, in their order; of a body that is no form, one without a field."""
    fields: tuple[tuple[str, str], ...] = ()
    is_form: bool = False


class HeadFirst(APIRoute):
    """A route that reads its body last."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with all of this before it."""
        go_on = super().get_route_handler()
        says, head = declared(self), head_of(self.dependant)

        async def handle(request: Request) -> Response:
            body = incoming(request.scope) if SCOPE_KEY in request.scope else None
            if body is None or body.whole:
                return await go_on(request)
            owner = await _ask(request, head, says)
            body.limit = says.limit(_settings(request))
            body.check()
            if says.takes.kind == "nothing":
                return await go_on(request)
            _take(request, _rooms(request).bodies, owner, 1)
            if says.takes.kind == "stream":
                return await go_on(request)
            return await go_on(await _Reading(request, body, owner, says).read())

        return handle


def sent(request: Request) -> Sent:
    """The body of a request to a route that takes files."""
    found: Sent = request.scope.get(_SENT, Sent(is_form=_is_form(request)))
    return found


async def in_memory(request: Request, files: Iterable[SpooledFile]) -> list[bytes]:
    """Files as bytes, when there is memory for them; it is given back when the request is over.

    Raises:
        FullError: there was none in good time.
    """
    wanted = list(files)
    await _enter(request, _owner(request), COPIES * sum(file.size for file in wanted))
    return await run_in_threadpool(lambda: [file.read() for file in wanted])


async def to_disk(request: Request) -> SpooledFile:
    """The body of a request that is read as it comes, as a file.

    Raises:
        ClientDisconnect: it did not come whole.
    """
    body, owner = incoming(request.scope), _owner(request)
    return await _Reading(request, body, owner, Declared(Takes("files"), owner.known)).file()


def owner_of(request: Request, found: Iterable[object]) -> Owner:
    """Whose share a body is counted to: that of the caller among what was found, or of the address."""
    for item in found:
        caller = getattr(item, "caller", item)
        if isinstance(caller, Caller):
            return Owner(caller.key_id or caller.subject, known=True)
    return Owner(limit_key(client_address(request)), known=False)


def open_rooms(settings: Settings) -> tuple[Rooms, Files]:
    """Room and place for what comes in, as the settings say."""
    return Rooms.by(settings), Files(settings.spool_folder)


async def _ask(request: Request, head: Dependant, says: Declared) -> Owner:
    """Ask the dependencies that need no body.

    Raises:
        DocprocError: what they refuse.
        RequestValidationError: address or headers are wrong, and a file would be read in vain.
    """
    solved = await solve_dependencies(
        request=request,
        dependant=head,
        async_exit_stack=request.scope["fastapi_inner_astack"],
        embed_body_fields=False,
    )
    if solved.errors and says.is_large:
        raise RequestValidationError(solved.errors)
    owner = owner_of(request, solved.dependency_cache.values())
    request.scope[_OWNER] = owner
    return owner


def _owner(request: Request) -> Owner:
    """Whose share the body of a request is counted to; one without a body was not asked who sends it."""
    owner: Owner | None = request.scope.get(_OWNER)
    return owner or owner_of(request, ())


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _rooms(request: Request) -> Rooms:
    rooms: Rooms = request.app.state.rooms
    return rooms


def _take(request: Request, room: Room, owner: Owner, amount: int) -> None:
    room.take(owner, amount)
    give_back(request.scope, lambda: room.give(owner, amount))


async def _enter(request: Request, owner: Owner, amount: int) -> None:
    memory = _rooms(request).memory
    given = await memory.enter(owner, amount)
    give_back(request.scope, lambda: memory.leave(owner, given))


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


@dataclass(slots=True, eq=False)
class _Reading:
    """A body that is let in."""

    request: Request
    body: Incoming
    owner: Owner
    says: Declared
    room_left: int = 0

    async def read(self) -> Request:
        """The request with its body at hand."""
        kind = self.says.takes.kind
        if kind in ("form", "files") and _is_form(self.request):
            return await self._form()
        file = await self.file()
        if kind == "files":
            self.request.scope[_SENT] = Sent((("", file),))
            return self.request
        await _enter(self.request, self.owner, OBJECTS * file.size)
        data = file.read()
        if kind == "json":
            check_shape(data)
        return ReadRequest(self.request, data, await self._urlencoded(data) if kind == "form" else None)

    async def file(self) -> SpooledFile:
        """The whole body as a file."""
        file = self._files().begin()
        give_back(self.request.scope, file.close)
        async for piece in self._pieces():
            await file.write(piece)
        await file.finish()
        return file

    def _files(self) -> Files:
        files: Files = self.request.app.state.spool
        return files

    async def _form(self) -> Request:
        takes = self.says.takes
        reader = FormReader(
            self.request.headers["content-type"],
            self._files(),
            most_files=takes.files,
            most_fields=takes.fields,
            field_bytes=FIELD_BYTES if takes.kind == "files" else self.body.limit,
        )
        give_back(self.request.scope, reader.close)
        async for piece in self._pieces():
            await reader.write(piece)
        form = reader.finish()
        await _enter(self.request, self.owner, OBJECTS * sum(len(value) for _, value in form.fields))
        self.request.scope[_SENT] = Sent(tuple(form.files), tuple(form.fields), is_form=True)
        return ReadRequest(self.request, b"", FormData([*form.fields]))

    async def _urlencoded(self, data: bytes) -> FormData:
        async def all_of_it() -> AsyncGenerator[bytes, None]:
            yield data

        if not self.request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return FormData()
        try:
            most, size = self.says.takes.fields, self.body.limit
            return await FormParser(self.request.headers, all_of_it(), max_fields=most, max_part_size=size).parse()
        except MultiPartException as error:
            raise FormError(error.message) from error

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        """The body, piece by piece, within the room for it on disk."""
        if self.body.length is not None:
            _rooms(self.request).disk.check(self.owner, self.body.length)
        while not self.body.whole:
            message = await self.body.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece: bytes = message.get("body", b"")
            while len(piece) > self.room_left:  # what is only announced takes no room from others
                _take(self.request, _rooms(self.request).disk, self.owner, STEP_BYTES)
                self.room_left += STEP_BYTES
            self.room_left -= len(piece)
            if piece:
                yield piece


class ReadRequest(Request):
    """A request whose body was read: FastAPI and our own dependencies get what is there."""

    def __init__(self, request: Request, data: bytes, form: FormData | None) -> None:
        """Take the place of a request."""
        super().__init__(request.scope, request.receive)
        self._data = data
        self._form = form

    async def body(self) -> bytes:
        """All of it."""
        return self._data

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """All of it, at once."""
        yield self._data
        yield b""
