"""For everybody: is a licence genuine, and how far is an application."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.files import Licence, Photos
from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx, Public
from api.kit.field_words import spec_of, words
from api.kit.masks import masked
from api.kit.parsing.paid import Solvent, paid
from api.kit.qr import qr_svg
from api.kit.render import page
from api.v1.licences import Code, pdf
from api.v1.review import notice_pdf
from docproc.errors import NotFoundError
from docproc.flow.applications import notices, pickup, progress
from docproc.flow.applications.corrections import ChangeView
from docproc.flow.core.context import Context
from docproc.flow.licences import licences, photographs, verification
from docproc.flow.licences.print_report import PhotoVerification
from docproc.matter.load import find_matter
from docproc.matter.model import Matter

router = APIRouter(route_class=HeadFirst, dependencies=[Public])
Asked = Annotated[str, Query(max_length=60)]
Light = Literal["good", "warn", "bad"]


@router.get("/verify")
def verify_form(request: Request) -> Response:
    """Three ways to verify."""
    return page(request, "public/verify.html", said=None, number="")


@router.post("/verify", dependencies=[Solvent, Csrf])
async def verify(request: Request, ctx: Ctx, upload: Licence) -> Response:
    """The report on a file."""
    data, name = upload
    if not data:
        return RedirectResponse("/verify", 303)
    report = await paid(request, "file", None, verification.verify_file, ctx, data)
    digest = hashlib.sha256(data).hexdigest()
    return page(
        request,
        "public/report.html",
        report=report,
        light=light_of(report),
        title=title_of(report),
        name=name,
        sha256=digest,
    )


@router.post("/verify/photo", dependencies=[Solvent, Csrf])
async def verify_photo(request: Request, ctx: Ctx, photos: Photos) -> Response:
    """A printed licence beside what was issued."""
    if not photos:
        return RedirectResponse("/verify", 303)
    report = await paid(request, "photo", None, photographs.verify_photo, ctx, photos)
    return page(request, "public/photo.html", report=report, light=light_of_photo(report))


@router.get("/verify/number")
def by_number(request: Request, ctx: Ctx, number: Asked = "") -> Response:
    """What the register says of a number."""
    try:
        found = licences.licence_by_number(ctx, number.strip().upper())
    except NotFoundError as error:
        return page(request, "public/verify.html", 404, said=error.message_zh, number=number)
    return page(request, "public/licence.html", licence=found, code=None)


@router.get("/v/{code}")
def by_code(request: Request, ctx: Ctx, code: Code) -> Response:
    """Where the QR code on a licence leads."""
    return page(request, "public/licence.html", licence=licences.licence_by_code(ctx, code), code=code)


@router.get("/v/{code}/file")
def file_by_code(ctx: Ctx, code: Code) -> Response:
    """The sealed file for whoever holds its QR code."""
    return pdf(*licences.licence_file_by_code(ctx, code))


@router.get("/progress")
def stage(request: Request, ctx: Ctx, number: Asked = "") -> Response:
    """How far an application is; by its number only the stage is disclosed."""
    if not number.strip():
        return page(request, "public/progress.html", said=None, number="")
    try:
        found = progress.progress(ctx, number)
    except NotFoundError as error:
        return page(request, "public/progress.html", 404, said=error.message_zh, number=number)
    return page(request, "public/stage.html", found=found, address=None, qr=None, code=None, changed=(), shown=None)


@router.get("/p/{code}")
def follow(request: Request, ctx: Ctx, code: Annotated[str, Path(max_length=40)]) -> Response:
    """Where the QR code on a receipt leads: all that concerns the applicant."""
    return _followed(request, ctx, code)


@router.post("/p/{code}/pickup", dependencies=[Csrf])
def show_pickup_code(request: Request, ctx: Ctx, code: Annotated[str, Path(max_length=40)]) -> Response:
    """Make the code to pick the printed licence up by; it is on this one page only."""
    return _followed(request, ctx, code, pickup.show_code(ctx, code))


def _followed(request: Request, ctx: Context, code: str, shown: str | None = None) -> Response:
    found = progress.follow(ctx, code)
    address = f"{ctx.settings.public_url.rstrip('/')}/p/{code}"
    changed = [_changed(find_matter(found["matter_id"]), item) for item in found["changes"]]
    qr = qr_svg(address)
    told = {"address": address, "qr": qr, "code": code, "shown": shown}
    return page(request, "public/stage.html", 200, found=found, changed=changed, **told)


def _changed(matter: Matter, item: ChangeView) -> tuple[str, str | None, str | None]:
    """A change in words; personal data is masked, for whoever holds the receipt can open the page."""
    spec = spec_of(matter, item["material"], item["field"])
    kind = None if spec.sensitive else spec.type
    written, value = (
        words(spec, masked(kind, text)) if text is not None else None for text in (item["written"], item["value"])
    )
    return item["label"], written, value


@router.get("/p/{code}/notice.pdf")
def notice_by_code(ctx: Ctx, code: Annotated[str, Path(max_length=40)]) -> Response:
    """The sealed 一次性告知书 for the applicant."""
    return notice_pdf(code[:6], notices.notice_by_code(ctx, code))


def light_of(report: verification.Verification) -> Light:
    """Green only for what was issued, is in force and whose seal passes; yellow where nothing is proven either way."""
    if (
        report["ok"]
        and report["indication"] == "TOTAL-PASSED"
        and report["integrity"] == "intact"
        and report["issued"] == "as-issued"
        and report["licence"]["status"] == "valid"
    ):
        return "good"
    over = report["licence"]["status"] in ("revoked", "suspended")
    if report["reason"] is not None:  # nothing bad is known of it, unless it bears our name
        return "bad" if over or report["claimed"] else "warn"
    genuine = report["indication"] in ("TOTAL-PASSED", "INDETERMINATE") and report["integrity"] == "intact"
    # what neither the register nor another department vouches for is nothing to wonder about
    known = report["issued"] != "unknown" or any(
        item["recognised"] or item["algorithm"] for item in report["signatures"]
    )
    return "warn" if genuine and known and not over else "bad"


def title_of(report: verification.Verification) -> str:
    """Which words head the report: those of its colour, or more exact ones where there are some."""
    status = report["licence"]["status"]
    if report["issued"] != "unknown" and status in ("revoked", "suspended", "expired", "superseded"):
        return f"is_{status}"
    if report["claimed"]:
        return "claimed"
    if report["reason"] is not None:
        return "unfinished" if report["reason"] == "limit" else "unjudged"
    return light_of(report)


def light_of_photo(report: PhotoVerification) -> Light:
    """Green only when all agrees and the licence is in force; yellow where a person must look again."""
    if report["ok"]:
        return "good"
    unsure = report["print"]["outcome"] in (
        *("unreadable", "incomplete", "added", "no-code", "not-ours", "several-codes"),
    )
    return "warn" if unsure and report["licence"]["status"] in ("valid", "unknown") else "bad"
