"""The office: users, devices and keys, audit log, figures."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller
from api.kit.qr import qr_svg
from api.kit.render import page
from api.pages.office.workbench_view import spec_of
from docproc.domain import CHINA
from docproc.errors import DocprocError, InputError
from docproc.flow.accounts import api_keys, users
from docproc.flow.audit import log
from docproc.flow.core import access, context
from docproc.flow.core.access import Caller
from docproc.flow.review import figures
from docproc.matter.load import find_matter

router = APIRouter(prefix="/office")
Word = Annotated[str, Form(max_length=80)]
Id = Annotated[str, Path(max_length=16)]


@router.get("/users")
def listing(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Officials and what they may do."""
    return _users(request, ctx, caller)


@router.post("/users", dependencies=[Csrf])
def add(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    name: Word,
    org: Word,
    title: Word = "",
    roles: Annotated[list[str], Form(max_length=20)] = [],  # noqa: B006  (FastAPI copies it)
) -> Response:
    """Add an official; secrets are shown this once."""
    caller.require("manage_users")
    try:
        made = users.add_user(ctx, caller, name.strip(), title, org.strip(), roles)
    except DocprocError as error:
        return _users(request, ctx, caller, said=error.message_zh)
    return _users(request, ctx, caller, made=made)


@router.post("/users/{user_id}/secrets", dependencies=[Csrf])
def renew(request: Request, ctx: Ctx, caller: AsCaller, user_id: Id) -> Response:
    """Give new secrets to who lost theirs."""
    return _users(request, ctx, caller, made=users.renew_secrets(ctx, caller, user_id))


@router.post("/users/{user_id}/enabled", dependencies=[Csrf])
def enable(ctx: Ctx, caller: AsCaller, user_id: Id, to: Annotated[bool, Form()]) -> Response:
    """Shut an account or open it again."""
    users.set_enabled(ctx, caller, user_id, to)
    return RedirectResponse("/office/users", 303)


@router.get("/keys")
def key_listing(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Devices and machines."""
    return page(
        request, "office/keys.html", keys=api_keys.list_keys(ctx, caller), made=None, said=None, roles=access.ROLES
    )


@router.post("/keys", dependencies=[Csrf])
def add_key(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    subject: Word,
    org: Word,
    roles: Annotated[list[str], Form(max_length=20)] = [],  # noqa: B006  (FastAPI copies it)
) -> Response:
    """Make a key; it is shown this once."""
    made, said = None, None
    caller.require("manage_keys")
    try:
        made = api_keys.create_key(ctx, caller, subject.strip(), org.strip(), roles)
    except InputError as error:
        said = error.message_zh
    keys = api_keys.list_keys(ctx, caller)
    return page(request, "office/keys.html", 422 if said else 200, keys=keys, made=made, said=said, roles=access.ROLES)


@router.post("/keys/{key_id}/revoke", dependencies=[Csrf])
def revoke(ctx: Ctx, caller: AsCaller, key_id: Id) -> Response:
    """Revoke a key for ever."""
    api_keys.revoke_key(ctx, caller, key_id)
    return RedirectResponse("/office/keys", 303)


@router.get("/figures")
def show_figures(
    request: Request, ctx: Ctx, caller: AsCaller, days: Annotated[int, Query(ge=1, le=730)] = 90
) -> Response:
    """How the work goes."""
    found = figures.figures(ctx, caller, days)
    return page(
        request,
        "office/figures.html",
        found=found,
        days=days,
        find_matter=find_matter,
        spec_of=spec_of,
        rule_of=_rule_of,
    )


@router.get("/audit")
def audit(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    text: Annotated[str, Query(max_length=80)] = "",
    action: Annotated[str, Query(max_length=40)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Who did what when."""
    lines = figures.search_audit(
        ctx,
        caller,
        text=text.strip(),
        action=action.strip(),
        since=_midnight(since, 0),
        until=_midnight(until, 1),
        before=before,
    )
    asked = {"text": text, "action": action, "since": since, "until": until}
    return page(request, "office/audit.html", lines=lines, asked=asked, checked=None)


@router.post("/audit/check", dependencies=[Csrf])
def check_audit(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Whether no line was changed or removed."""
    found = log.check_audit(ctx, caller)
    lines = figures.search_audit(ctx, caller)
    asked = {"text": "", "action": "", "since": "", "until": ""}
    return page(request, "office/audit.html", lines=lines, asked=asked, checked=found)


def _users(
    request: Request,
    ctx: context.Context,
    caller: Caller,
    *,
    made: users.NewUser | None = None,
    said: str | None = None,
) -> Response:
    found = users.list_users(ctx, caller)
    qr = qr_svg(made.totp_uri) if made is not None else None
    status = 422 if said else 200
    return page(request, "office/users.html", status, users=found, roles=users.OFFICIALS, made=made, qr=qr, said=said)


def _rule_of(matter: str, code: str) -> str:
    """What a rule says, with dots for what differs; empty for findings that come from no rule of the matter."""
    rule = next((rule for rule in find_matter(matter).rule if rule.id == code), None)
    return re.sub(r"\{\w*\}", "…", rule.message) if rule is not None else ""


def _midnight(day: str, more: int) -> datetime | None:
    """Beginning of a day in China, some days later; ``None`` for no day."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=more), time(), CHINA)
    except (ValueError, OverflowError):
        raise InputError(f"{day!r} is not a date", message_zh="日期格式不正确") from None
