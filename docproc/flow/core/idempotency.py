"""Units of work that answer a repeated request with the first answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.errors import ConflictError, DocprocError, InputError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.store import idempotency as store

Answer = TypeVar("Answer", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True)
class Once:
    """An Idempotency-Key together with the hash of everything that was asked."""

    key: str
    request_sha256: str


class ReusedKeyError(InputError):
    """An Idempotency-Key came again with another request: use a fresh key for each request."""

    code = "idempotency_key_reused"
    message_zh = "重复的请求编号，请重新提交"


def run_once(ctx: Context, caller: Caller, once: Once | None, work: Callable[[Session], Answer]) -> Answer:
    """Run a unit of work in one transaction; with ``once``, keep its answer or give the kept one.

    Raises:
        ReusedKeyError: the key was used for another request.
        ConflictError: two requests kept colliding.
    """
    for _ in range(2):
        try:
            return _attempt(ctx, caller, once, work)
        except IntegrityError:
            # Somebody else's row came first; a second look finds it and answers accordingly.
            continue
        except DocprocError:
            # Perhaps what stands in the way is this request's own first sending, which was at work till now.
            if once is None:
                raise
            with ctx.database.read() as session:
                kept = _kept(session, caller, once)
            if kept is None:
                raise
            return cast(Answer, kept)  # what the same work gave before
    raise ConflictError("somebody else was faster; read the application again")


def _attempt(ctx: Context, caller: Caller, once: Once | None, work: Callable[[Session], Answer]) -> Answer:
    with ctx.database.write() as session:
        if once is None:
            return work(session)
        kept = _kept(session, caller, once)
        if kept is not None:
            return cast(Answer, kept)
        answer = work(session)
        store.keep_answer(session, caller.key_id, once.key, once.request_sha256, answer, ctx.clock())
        return answer


def _kept(session: Session, caller: Caller, once: Once) -> JsonObject | None:
    found = store.find_answer(session, caller.key_id, once.key)
    if found is None:
        return None
    if found.request_sha256 != once.request_sha256:
        raise ReusedKeyError(f"Idempotency-Key {once.key!r} was used for another request")
    return found.answer
