"""证照夹 of an enterprise and webhooks, for programs; the pages are in :mod:`api.pages.enterprise.wallet`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, OnceJson, Who
from api.kit.problems import problems
from api.v1.licences import Number, pdf
from api.v1.matters.matters import MaterialId, MatterId, Sheets, form_pdf
from api.v1.schemas import wallet as schemas
from api.v1.schemas.licences import PublicLicence
from docproc.flow.applications import forms
from docproc.flow.core import views
from docproc.flow.messages import webhooks
from docproc.flow.wallet import wallet

router = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["enterprises"])
ShareCode = Annotated[str, Path(max_length=40)]
HookId = Annotated[str, Path(max_length=32)]


@router.get("/wallet", response_model=list[PublicLicence], responses=problems(401, 403), summary="Own licences")
def listing(ctx: Ctx, who: Who) -> list[views.PublicLicence]:
    """Licences of the credit code that is the key's organisation. Role: enterprise."""
    return wallet.wallet(ctx, who)


@router.get(
    "/wallet/{number}",
    response_model=schemas.WalletLicence,
    responses=problems(401, 403, 404),
    summary="An own licence",
)
def one(number: Number, ctx: Ctx, who: Who) -> wallet.WalletLicence:
    """With its fields and shares. Role: enterprise."""
    return wallet.wallet_licence(ctx, who, number)


@router.get("/wallet/{number}/file", response_class=Response, responses=problems(401, 403, 404), summary="Download it")
def file(number: Number, ctx: Ctx, who: Who) -> Response:
    """The sealed PDF. Role: enterprise."""
    return pdf(*wallet.wallet_file(ctx, who, number))


@router.post(
    "/wallet/{number}/shares",
    status_code=201,
    response_model=schemas.ShareView,
    responses=problems(401, 403, 404, 422),
    summary="Share it",
)
def share(number: Number, body: schemas.NewShare, ctx: Ctx, who: Who, once: OnceJson) -> wallet.ShareView:
    """Let whoever gets the address see the licence, for a purpose and a time. Role: enterprise."""
    return wallet.share(ctx, who, number, body.purpose, body.days, once)


@router.delete(
    "/shares/{code}", response_model=schemas.ShareView, responses=problems(401, 403, 404), summary="Take a share back"
)
def revoke(code: ShareCode, ctx: Ctx, who: Who) -> wallet.ShareView:
    """At once. Role: enterprise."""
    return wallet.revoke_share(ctx, who, code)


@router.post(
    "/webhooks",
    status_code=201,
    response_model=schemas.CreatedWebhook,
    responses=problems(401, 403, 409, 422),
    summary="Have events posted",
)
def add_webhook(body: schemas.NewWebhook, ctx: Ctx, who: Who) -> webhooks.CreatedWebhook:
    """Events are signed: `Docproc-Signature: t=SECONDS,n=NONCE,v1=HEX`, see the guide. Roles: enterprise, clerk."""
    return webhooks.add_webhook(ctx, who, body.url)


@router.get(
    "/webhooks",
    response_model=list[schemas.WebhookView],
    responses=problems(401, 403),
    summary="Webhooks",
    name="webhooks",
)
def list_webhooks(ctx: Ctx, who: Who) -> list[webhooks.WebhookView]:
    """The organisation's. Roles: enterprise, clerk."""
    return webhooks.list_webhooks(ctx, who)


@router.delete("/webhooks/{webhook}", status_code=204, responses=problems(401, 403, 404), summary="Remove a webhook")
def remove_webhook(webhook: HookId, ctx: Ctx, who: Who) -> None:
    """Nothing more is posted. Roles: enterprise, clerk."""
    webhooks.remove_webhook(ctx, who, webhook)


@router.get(
    "/webhooks/{webhook}/deliveries",
    response_model=list[schemas.DeliveryView],
    responses=problems(401, 403, 404),
    summary="Log of deliveries",
)
def deliveries(
    webhook: HookId, ctx: Ctx, who: Who, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[webhooks.DeliveryView]:
    """The last attempts, newest first. Roles: enterprise, clerk."""
    return webhooks.deliveries(ctx, who, webhook, limit)


@router.post(
    "/webhooks/{webhook}/deliveries/{event}/again",
    status_code=202,
    responses=problems(401, 403, 404, 409),
    summary="Post an event again",
)
def post_again(webhook: HookId, event: Annotated[int, Path(ge=1, le=2**62)], ctx: Ctx, who: Who) -> None:
    """One that did not get through, at once and without waiting for the next attempt. Roles: enterprise, clerk."""
    webhooks.post_again(ctx, who, webhook, event)


@router.get(
    "/wallet/forms/{matter}/{material}.pdf",
    response_class=Response,
    responses=problems(401, 403, 404, 409),
    summary="A form with what is known of the enterprise",
)
def known_form(matter: MatterId, material: MaterialId, ctx: Ctx, who: Who, sheets: Sheets = 1) -> Response:
    """As a PDF to print; what own licences in force say of who and where is in it. Role: enterprise."""
    return form_pdf(matter, material, forms.form_of_holder(ctx, who, matter, material, sheets))
