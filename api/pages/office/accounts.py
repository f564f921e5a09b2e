"""Officials and API keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller
from api.kit.qr import qr_svg
from api.kit.render import page
from docproc.errors import DocprocError, InputError
from docproc.flow.accounts import api_keys, users
from docproc.flow.core import access, context
from docproc.flow.core.access import Caller

router = APIRouter(route_class=HeadFirst, prefix="/office")
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


@router.get("/mine")
def own_keys(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """The keys in one's own name, to be taken over from who made them."""
    return page(request, "office/mine.html", keys=api_keys.own_keys(ctx, caller), made=None)


@router.post("/mine/{key_id}", dependencies=[Csrf])
def take_over(request: Request, ctx: Ctx, caller: AsCaller, key_id: Id) -> Response:
    """Replace a key by one that nobody else has seen; it is shown this once."""
    made = api_keys.take_over(ctx, caller, key_id)
    return page(request, "office/mine.html", keys=api_keys.own_keys(ctx, caller), made=made)


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
