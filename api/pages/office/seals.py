"""The seal registry and the trust list in pages: each change is proposed by one person and confirmed by another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.kit.bodies.files import Certificates
from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller, official_may
from api.kit.render import page
from docproc.domain import CHINA
from docproc.errors import AccessError, DocprocError, InputError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.seals import registry, trust_list
from docproc.flow.seals.new_seal import NewSeal
from docproc.licence.seal.registered_seal import KINDS
from docproc.matter.load import load_catalogue

router = APIRouter(route_class=HeadFirst, prefix="/office")
Id = Annotated[str, Path(max_length=16)]
Word = Annotated[str, Form(max_length=200)]
Reason = Annotated[str, Form(max_length=500)]


@router.get("/seals")
def seal_list(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Seals, and changes that wait."""
    return _seals(request, ctx, caller)


@router.post("/seals", dependencies=[official_may("manage_seals"), Csrf])
async def add_seal(request: Request, ctx: Ctx, caller: AsCaller, file: Certificates) -> Response:
    """Propose a seal."""
    sent = await _fields(request)

    def work() -> object:
        new = NewSeal(
            name=sent.get("name", "").strip(),
            owner=sent.get("owner", "").strip(),
            owner_code=sent.get("owner_code", "").strip(),
            kind=sent.get("kind", ""),
            filing_number=sent.get("filing_number", ""),
            certificates=file.decode("ascii", "replace"),
            licence_kinds=tuple(sent.get("licence_kinds", "").split()),
            valid_from=_day(sent.get("valid_from"), time()),
            valid_to=_day(sent.get("valid_to"), time(23, 59, 59)),
            diameter=_number(sent.get("diameter", "42")),
            purpose=sent.get("purpose", "").strip(),
            emblem="emblem" in sent,
        )
        return registry.propose_seal(ctx, caller, new, sent.get("reason", ""))

    return await run_in_threadpool(_done, work, lambda error: _seals(request, ctx, caller, error), "/office/seals")


@router.post("/seals/{name}/changes", dependencies=[Csrf])
def change_seal(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    name: Annotated[str, Path(max_length=60)],
    action: Annotated[Literal["suspend", "resume"], Form()],
    reason: Reason = "",
) -> Response:
    """Propose to suspend a seal, or to use it again."""
    return _done(
        lambda: registry.propose_change(ctx, caller, name, action, reason),
        lambda error: _seals(request, ctx, caller, error),
        "/office/seals",
    )


@router.post("/seals/changes/{change_id}", dependencies=[Csrf])
def confirm_seal(request: Request, ctx: Ctx, caller: AsCaller, change_id: Id, to: Annotated[bool, Form()]) -> Response:
    """Confirm a change of a seal, or refuse it."""
    return _done(
        lambda: registry.confirm_change(ctx, caller, change_id, refuse=not to),
        lambda error: _seals(request, ctx, caller, error),
        "/office/seals",
    )


@router.get("/trust")
def root_list(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Whose seals are recognised."""
    return _trust(request, ctx, caller)


@router.post("/trust", dependencies=[official_may("manage_trust"), Csrf])
async def add_root(request: Request, ctx: Ctx, caller: AsCaller, file: Certificates) -> Response:
    """Propose to recognise another department's root."""
    sent = await _fields(request)

    def work() -> object:
        days = [date.fromisoformat(sent[key]) if sent.get(key) else None for key in ("valid_from", "valid_to")]
        use = tuple(word for word in trust_list.USES if word in sent.get("use", "").split())
        new = trust_list.NewRoot(file, sent.get("name", ""), tuple(sent.get("authorities", "").split()), use, *days)
        return trust_list.propose_root(ctx, caller, new, sent.get("reason", ""))

    return await run_in_threadpool(_done, work, lambda error: _trust(request, ctx, caller, error), "/office/trust")


@router.post("/trust/{root}/remove", dependencies=[Csrf])
def remove_root(
    request: Request, ctx: Ctx, caller: AsCaller, root: Annotated[str, Path(max_length=64)], reason: Reason = ""
) -> Response:
    """Propose that a root is no longer trusted."""
    return _done(
        lambda: trust_list.propose_removal(ctx, caller, root, reason),
        lambda error: _trust(request, ctx, caller, error),
        "/office/trust",
    )


@router.post("/trust/changes/{change_id}", dependencies=[Csrf])
def confirm_root(request: Request, ctx: Ctx, caller: AsCaller, change_id: Id, to: Annotated[bool, Form()]) -> Response:
    """Confirm a change of the trust list, or refuse it."""
    return _done(
        lambda: trust_list.confirm_change(ctx, caller, change_id, refuse=not to),
        lambda error: _trust(request, ctx, caller, error),
        "/office/trust",
    )


def _done(work: Callable[[], object], shown: Callable[[DocprocError], Response], to: str) -> Response:
    """Do it and go back to the page; what is wrong is said on it."""
    try:
        work()
    except AccessError as error:
        if error.code != "same_person":
            raise
        return shown(error)
    except DocprocError as error:
        return shown(error)
    except ValueError as error:
        return shown(InputError(str(error), message_zh="日期或数字格式不正确"))
    return RedirectResponse(to, 303)


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form, those that come several times joined by spaces."""
    form = await request.form()
    fields = {key: " ".join(map(str, form.getlist(key))) for key in form}
    return {key: value for key, value in fields.items() if value}


def _day(text: str | None, at: time) -> datetime:
    return datetime.combine(date.fromisoformat(text or ""), at, CHINA)


def _number(text: str) -> float:
    value = float(text)
    if not 0 < value < 1000:
        raise ValueError("out of range")
    return value


def _seals(request: Request, ctx: Context, caller: Caller, error: DocprocError | None = None) -> Response:
    found = registry.list_seals(ctx, caller)
    kinds = {matter.licence.kind: matter.name for matter in load_catalogue().values()}
    return _page(request, caller, "office/seals.html", error, found=found, kinds=kinds, owner_kinds=KINDS)


def _trust(request: Request, ctx: Context, caller: Caller, error: DocprocError | None = None) -> Response:
    return _page(
        request, caller, "office/trust.html", error, found=trust_list.list_roots(ctx, caller), uses=trust_list.USES
    )


def _page(request: Request, caller: Caller, template: str, error: DocprocError | None, **values: Any) -> Response:
    said = error.message_zh if error is not None else None
    status = 200 if error is None else 403 if isinstance(error, AccessError) else 422
    return page(request, template, status, caller=caller, said=said, **values)
