"""API keys and officials."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, OnceJson, Who
from api.kit.problems import problems
from api.v1.schemas import accounts as schemas
from docproc.flow.accounts import api_keys, users
from docproc.flow.accounts.api_keys import CreatedKey, KeyView

router = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["administration"])

UserId = Annotated[str, Path(max_length=32)]


@router.post(
    "/keys",
    status_code=201,
    response_model=schemas.CreatedKey,
    responses=problems(401, 403, 422),
    summary="Make an API key",
)
def create(body: schemas.NewKey, ctx: Ctx, who: Who, once: OnceJson) -> CreatedKey:
    """The key is in the answer this once; only its hash is kept. Role: admin."""
    return api_keys.create_key(ctx, who, body.subject, body.org, body.roles, once)


@router.get("/keys", response_model=list[schemas.KeyView], responses=problems(401, 403), summary="List API keys")
def listing(ctx: Ctx, who: Who) -> list[KeyView]:
    """Without secrets. Role: admin."""
    return api_keys.list_keys(ctx, who)


@router.delete(
    "/keys/{key_id}", response_model=schemas.KeyView, responses=problems(401, 403, 404), summary="Revoke an API key"
)
def revoke(key_id: Annotated[str, Path(max_length=16)], ctx: Ctx, who: Who) -> KeyView:
    """At once and for ever. Role: admin."""
    return api_keys.revoke_key(ctx, who, key_id)


@router.get("/users", response_model=list[schemas.UserView], responses=problems(401, 403), summary="List officials")
def list_users(ctx: Ctx, who: Who) -> list[users.UserView]:
    """Without secrets. Role: admin."""
    return users.list_users(ctx, who)


@router.post(
    "/users",
    status_code=201,
    response_model=schemas.Secrets,
    responses=problems(401, 403, 409, 422),
    summary="Add an official",
)
def add_user(body: schemas.NewUser, ctx: Ctx, who: Who, response: Response) -> users.NewUser:
    """The secrets are in the answer this once; give them to the person alone. Role: admin."""
    response.headers["Cache-Control"] = "no-store"
    return users.add_user(ctx, who, body.name.strip(), body.title, body.org.strip(), body.roles)


@router.post(
    "/users/{user_id}/secrets",
    response_model=schemas.Secrets,
    responses=problems(401, 403, 404, 409),
    summary="New secrets",
)
def renew_secrets(user_id: UserId, ctx: Ctx, who: Who, response: Response) -> users.NewUser:
    """For who lost theirs; what they had is void at once. Role: admin."""
    response.headers["Cache-Control"] = "no-store"
    return users.renew_secrets(ctx, who, user_id)


@router.put(
    "/users/{user_id}/enabled",
    status_code=204,
    responses=problems(401, 403, 404, 409),
    summary="Shut or open an account",
)
def set_enabled(user_id: UserId, body: schemas.Enabled, ctx: Ctx, who: Who) -> None:
    """Shut, it is signed out everywhere. Role: admin."""
    users.set_enabled(ctx, who, user_id, body.enabled)
