"""证照夹 for an enterprise in its browser, and what it shares with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx, Public
from api.kit.render import page
from api.kit.seats import Wallet, find_seat, sign_in, sign_out
from api.v1.licences import Number, pdf
from api.v1.matters.matters import MaterialId, MatterId, Sheets, form_pdf
from docproc.errors import ConflictError, DocprocError
from docproc.flow.accounts import seats
from docproc.flow.applications import forms
from docproc.flow.core import context
from docproc.flow.messages import webhooks
from docproc.flow.wallet import wallet
from docproc.matter.load import load_catalogue
from docproc.matter.opening import opens

router = APIRouter(route_class=HeadFirst)
Word = Annotated[str, Form(max_length=500)]
ShareCode = Annotated[str, Path(max_length=40)]
MOST_DELIVERIES = 20


@dataclass(frozen=True, slots=True)
class Posted:
    """A webhook with its last deliveries, newest first."""

    webhook: webhooks.WebhookView
    log: list[webhooks.DeliveryView]

    @property
    def reached(self) -> set[int]:
        """Events that got through."""
        return {line["event"] for line in self.log if line["delivered"]}

    @property
    def newest(self) -> dict[int, int]:
        """Place in the log of the newest attempt to post each event."""
        return {line["event"]: place for place, line in reversed(list(enumerate(self.log)))}


@router.get("/wallet")
def listing(request: Request, ctx: Ctx) -> Response:
    """The licences; or, before signing in, the key."""
    here = find_seat(request, ctx, "wallet")
    if here is None:
        return page(request, "wallet/sign_in.html", said=None)
    active = [matter for matter in load_catalogue().values() if opens(matter, ctx.today())]
    return page(
        request, "wallet/list.html", licences=wallet.wallet(ctx, here.caller), org=here.caller.org, matters=active
    )


@router.post("/wallet/sign-in", dependencies=[Csrf])
def open_wallet(request: Request, ctx: Ctx, key: Word) -> Response:
    """Open the wallet in this browser."""
    return sign_in(request, ctx, "wallet", key, "wallet/sign_in.html")


@router.post("/wallet/sign-out", dependencies=[Csrf])
def close_wallet(request: Request, here: Wallet, ctx: Ctx) -> Response:
    """Close it."""
    return sign_out(request, ctx, here, "wallet")


@router.get("/wallet/forms/{matter}/{material}.pdf")
def known_form(ctx: Ctx, here: Wallet, matter: MatterId, material: MaterialId, sheets: Sheets = 1) -> Response:
    """A form with what is known of the enterprise in it."""
    return form_pdf(matter, material, forms.form_of_holder(ctx, here.caller, matter, material, sheets))


@router.get("/wallet/webhooks")
def webhook_listing(request: Request, ctx: Ctx, here: Wallet) -> Response:
    """Where events are posted, and how that went."""
    return _webhooks(request, ctx, here)


@router.post("/wallet/webhooks", dependencies=[Csrf])
def add_webhook(request: Request, ctx: Ctx, here: Wallet, url: Word) -> Response:
    """Add an address; its secret is on this one page only."""
    try:
        made = webhooks.add_webhook(ctx, here.caller, url)
    except DocprocError as error:
        return _webhooks(request, ctx, here, status=422, said=error.message_zh)
    return _webhooks(request, ctx, here, status=201, secret=made["secret"])


@router.post("/wallet/webhooks/{webhook}/remove", dependencies=[Csrf])
def remove_webhook(ctx: Ctx, here: Wallet, webhook: ShareCode) -> Response:
    """Remove an address."""
    webhooks.remove_webhook(ctx, here.caller, webhook)
    return RedirectResponse("/wallet/webhooks", 303)


@router.post("/wallet/webhooks/{webhook}/deliveries/{event}/again", dependencies=[Csrf])
def post_again(
    request: Request, ctx: Ctx, here: Wallet, webhook: ShareCode, event: Annotated[int, Path(ge=1, le=2**62)]
) -> Response:
    """Have an event that did not get through posted again."""
    try:
        webhooks.post_again(ctx, here.caller, webhook, event)
    except ConflictError as error:
        return _webhooks(request, ctx, here, status=409, said=error.message_zh)
    return RedirectResponse("/wallet/webhooks", 303)


def _webhooks(
    request: Request, ctx: context.Context, here: seats.Seat, *, status: int = 200, said: str = "", secret: str = ""
) -> Response:
    found = [
        Posted(item, webhooks.deliveries(ctx, here.caller, item["id"], MOST_DELIVERIES))
        for item in webhooks.list_webhooks(ctx, here.caller)
    ]
    return page(request, "wallet/webhooks.html", status, webhooks=found, said=said, secret=secret)


@router.get("/wallet/licences/{number}")
def licence(request: Request, ctx: Ctx, here: Wallet, number: Number) -> Response:
    """One licence and who may see it."""
    return page(request, "wallet/licence.html", licence=wallet.wallet_licence(ctx, here.caller, number), said=None)


@router.get("/wallet/licences/{number}/file")
def file(ctx: Ctx, here: Wallet, number: Number) -> Response:
    """The sealed PDF."""
    return pdf(*wallet.wallet_file(ctx, here.caller, number))


@router.post("/wallet/licences/{number}/shares", dependencies=[Csrf])
def share(
    request: Request, ctx: Ctx, here: Wallet, number: Number, purpose: Word, days: Annotated[int, Form(ge=0, le=10_000)]
) -> Response:
    """Share it."""
    try:
        wallet.share(ctx, here.caller, number, purpose, days)
    except DocprocError as error:
        found = wallet.wallet_licence(ctx, here.caller, number)
        return page(request, "wallet/licence.html", 422, licence=found, said=error.message_zh)
    return RedirectResponse(f"/wallet/licences/{number}", 303)


@router.post("/wallet/shares/{code}/revoke", dependencies=[Csrf])
def revoke(ctx: Ctx, here: Wallet, code: ShareCode) -> Response:
    """Take a share back."""
    found = wallet.revoke_share(ctx, here.caller, code)
    return RedirectResponse(f"/wallet/licences/{found['licence']}", 303)


@router.get("/s/{code}", dependencies=[Public])
def shared(request: Request, ctx: Ctx, code: ShareCode) -> Response:
    """What a share shows to whoever got its address."""
    return page(request, "wallet/shared.html", licence=wallet.shared(ctx, code))


@router.get("/s/{code}/file", dependencies=[Public])
def shared_file(ctx: Ctx, code: ShareCode) -> Response:
    """The sealed PDF behind a share."""
    return pdf(*wallet.shared_file(ctx, code))
