"""The reviewer's pages: queue, bench, decisions; the sealer's list."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.files import fields
from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller
from api.kit.render import is_fragment, page
from api.pages.kiosk.naming import Chosen, said_of
from api.pages.office.workbench_view import Bench, build
from api.v1.applications.applications import webp
from api.v1.review import notice_pdf
from docproc.domain import CorrectionKind
from docproc.errors import AccessError, ConflictError, DocprocError, InputError
from docproc.flow.applications import applications, assigning, notices
from docproc.flow.applications.corrections import KindNeededError, NotMendableError
from docproc.flow.core import context
from docproc.flow.core.access import Caller
from docproc.flow.core.reads import needs_words
from docproc.flow.review import decisions, workbench
from docproc.matter.load import find_matter
from docproc.store.review.claims import ClaimedError

router = APIRouter(route_class=HeadFirst, prefix="/office")
Number = Annotated[str, Path(max_length=60)]
PageId = Annotated[str, Path(max_length=32)]
Text = Annotated[str, Form(max_length=2000)]
Purpose = Annotated[str, Form(max_length=200)]
Version = Annotated[int, Form(ge=1, le=2**31 - 1)]


class Shown(TypedDict):
    """What the templates of the bench know."""

    accepts: bool
    """The caller's organisation accepts applications of this matter."""
    speaks: bool
    """It decides on them, or is asked for its opinion."""
    bench: Bench
    view: workbench.BenchView
    caller: Caller
    deciding: bool
    shows: bool
    """Personal data is shown."""
    holder: str | None
    """Name of who works on it."""
    asks_purpose: bool
    """The caller's office does not say by itself why they look at it."""
    sees_readers: bool
    """They may see who was given something of it."""


@router.get("/queue")
def queue(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """What waits, the most urgent first."""
    return page(request, "office/queue.html", waiting=workbench.queue(ctx, caller))


@router.get("/next")
def following(ctx: Ctx, caller: AsCaller, after: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Open the most urgent one that is free."""
    return _go_on(ctx, caller, after)


@router.get("/release")
def to_release(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Approved applications that wait for the sealer."""
    return page(request, "office/release.html", waiting=workbench.to_release(ctx, caller), find_matter=find_matter)


@router.get("/cases/{number}")
def case(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """The bench for who may decide; for others, and while somebody else has it, the same to look at."""
    return _shown(request, ctx, caller, number)


@router.get("/cases/{number}/judged")
def judged(
    request: Request, ctx: Ctx, caller: AsCaller, number: Number, pages: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """What a check says; asked for until the check is done, which then changes the fields too.

    ``pages``: what the pages were called when the browser drew them; called otherwise now, it draws all anew.
    """
    values = _bench(ctx, caller, number)
    if not values["view"]["checked"]:
        return page(request, "office/judged.html", **values, said=None)
    if pages and pages != values["bench"].pages_word:
        return Response(headers={"HX-Refresh": "true"})
    response = page(request, "office/panel.html", **values, said=None)
    response.headers.update({"HX-Retarget": "#panel", "HX-Reswap": "innerHTML"})
    return response


@router.post("/cases/{number}/hold", dependencies=[Csrf])
def hold(ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Keep the application claimed while somebody works on it."""
    workbench.claim(ctx, caller, number)
    return Response(status_code=204)


@router.post("/cases/{number}/put-back", dependencies=[Csrf])
def put_back(ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Release the claim so that others can take it."""
    workbench.put_back(ctx, caller, number)
    return RedirectResponse("/office/queue", 303)


@router.post("/cases/{number}/show", dependencies=[Csrf])
def show(request: Request, ctx: Ctx, caller: AsCaller, number: Number, purpose: Purpose = "") -> Response:
    """Show personal data; the logs keep who asked, and what for where it is not plain."""
    try:
        workbench.show_personal(ctx, caller, number, purpose=purpose)
    except InputError as error:
        return _shown(request, ctx, caller, number, error)
    return RedirectResponse(f"/office/cases/{number}", 303)


@router.post("/cases/{number}/pages/{page_id}/show", dependencies=[Csrf])
def show_page(ctx: Ctx, caller: AsCaller, number: Number, page_id: PageId) -> Response:
    """Show one sensitive page; the audit log keeps who asked for which."""
    workbench.show_personal(ctx, caller, number, page_id)
    return RedirectResponse(f"/office/cases/{number}", 303)


@router.post("/cases/{number}/fields", dependencies=[fields(200), Csrf])
async def correct(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Correct a field, or confirm the value that was read; several ticked options make one value."""
    from starlette.concurrency import run_in_threadpool

    form = await request.form()
    given = {key: str(form.get(key, "")) for key in ("page_id", "index", "field")}
    said = form.get("kind")
    kind: CorrectionKind | None = "misread" if said == "misread" else "changed" if said == "changed" else None
    value = ",".join(str(v) for v in form.getlist("value") if v)
    if len(value) > 2000 or not given["index"].isdecimal() or len(given["index"]) > 6:
        raise InputError("the form is not one of ours")

    def work() -> Response:
        workbench.claim(ctx, caller, number)
        place = (number, given["page_id"], int(given["index"]), given["field"])
        try:
            applications.correct_field(ctx, caller, *place, value, kind)
        except (KindNeededError, NotMendableError) as error:
            return _shown(request, ctx, caller, number, error)
        return page(request, "office/panel.html", **_bench(ctx, caller, number), said=None)

    return await run_in_threadpool(work)


@router.post("/cases/{number}/pages/{page_id}/{index}/material", dependencies=[Csrf])
def name_page(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    number: Number,
    page_id: PageId,
    index: Annotated[int, Path(ge=0, le=10_000)],
    said: Chosen,
) -> Response:
    """Say what a page is; it is read as that."""
    try:
        workbench.claim(ctx, caller, number)
        assigning.assign_page(ctx, caller, number, page_id, index, said_of(said))
    except (ConflictError, InputError) as error:
        return _shown(request, ctx, caller, number, error)
    return RedirectResponse(f"/office/cases/{number}", 303)


@router.post("/cases/{number}/accept", dependencies=[Csrf])
def accept(request: Request, ctx: Ctx, caller: AsCaller, number: Number, version: Version) -> Response:
    """受理."""
    try:
        decisions.accept(ctx, caller, number, version)
    except ConflictError as error:
        return _shown(request, ctx, caller, number, error)
    return RedirectResponse(f"/office/cases/{number}", 303)


@router.post("/cases/{number}/decide", dependencies=[Csrf])
def decide(
    request: Request,
    ctx: Ctx,
    caller: AsCaller,
    number: Number,
    version: Version,
    content_sha256: Annotated[str, Form(pattern="^[0-9a-f]{64}$")],
    action: Annotated[Literal["approve", "return", "reject"], Form()],
    reason: Text = "",
    basis: Text = "",
    set_aside: Annotated[list[str], Form(max_length=100)] = [],  # noqa: B006  (FastAPI copies it)
    confirmed: Annotated[list[str], Form(max_length=100)] = [],  # noqa: B006
) -> Response:
    """Decide on what was seen, and go on to the next."""
    seen = decisions.Seen(version, content_sha256)
    try:
        decisions.decide(
            ctx, caller, number, action, seen, reason=reason, basis=basis, set_aside=set_aside, confirmed=confirmed
        )
    except (ConflictError, InputError) as error:
        return _shown(request, ctx, caller, number, error)
    return _go_on(ctx, caller, number)


@router.post("/cases/{number}/release", dependencies=[Csrf])
def release(request: Request, ctx: Ctx, caller: AsCaller, number: Number, version: Version) -> Response:
    """Let the licence be sealed."""
    try:
        decisions.release(ctx, caller, number, version)
    except (ConflictError, AccessError) as error:
        if isinstance(error, AccessError) and error.code != "same_person":
            raise
        return _shown(request, ctx, caller, number, error)
    return RedirectResponse("/office/release", 303)


@router.get("/cases/{number}/notice.pdf")
def notice(ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """The sealed 一次性告知书."""
    return notice_pdf(number, notices.notice_file(ctx, caller, number))


@router.post("/cases/{number}/notice/seal", dependencies=[Csrf])
def seal_notice(ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Try to seal it again."""
    notices.seal_again(ctx, caller, number)
    return RedirectResponse(f"/office/cases/{number}", 303)


@router.get("/cases/{number}/pages/{page_id}/{index}.webp")
def picture(
    ctx: Ctx, caller: AsCaller, number: Number, page_id: PageId, index: Annotated[int, Path(ge=0, le=10_000)]
) -> Response:
    """A page for the screen, for who works on it or asked to see personal data."""
    caller.require("view_file")
    if not workbench.sees_picture(ctx, caller, number, page_id):
        raise AccessError("ask to see personal data first", message_zh="请先点击“显示个人信息”")
    return webp(applications.page_preview(ctx, caller, number, page_id, index))


def _go_on(ctx: context.Context, caller: Caller, after: str) -> Response:
    number = workbench.next_number(ctx, caller, after)
    done = f"?done={after}" if after else ""
    return RedirectResponse(f"/office/cases/{number}{done}" if number else f"/office/queue{done}", 303)


def _shown(
    request: Request, ctx: context.Context, caller: Caller, number: str, error: DocprocError | None = None
) -> Response:
    """The case; with an error, what it says stands above."""
    held: str | None = None
    if caller.can("accept"):
        try:
            workbench.claim(ctx, caller, number)
        except ClaimedError as other:
            held = other.message_zh
    values = _bench(ctx, caller, number)
    said = error.message_zh if error is not None else held
    status = 409 if isinstance(error, ConflictError) else 422 if error is not None else 200
    template = "office/panel.html" if is_fragment(request) else "office/bench.html"
    return page(request, template, status, **values, said=said)


def _bench(ctx: context.Context, caller: Caller, number: str) -> Shown:
    view = workbench.bench(ctx, caller, number)
    names, holder = view["names"], view["held_by"]
    seen = workbench.sight(ctx, caller, number)
    bench: Bench = build(view, find_matter(view["matter"]), seen.shows)
    deciding = holder == caller.subject and view["status"] in workbench.TO_DECIDE
    matter = bench.matter
    return {
        "accepts": not matter.department or view["org"] == caller.org or matter.department[0].org == caller.org,
        "speaks": not matter.department or matter.department_of(caller.org) is not None,
        "bench": bench,
        "view": view,
        "caller": caller,
        "deciding": deciding,
        "shows": seen.asked,
        "holder": names.get(holder, holder) if holder else None,
        "asks_purpose": needs_words(caller),
        "sees_readers": caller.can("readers"),
    }
