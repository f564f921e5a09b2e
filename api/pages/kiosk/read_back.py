"""核对: what was read from each page, beside the ink it was read from, before the citizen submits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.field_words import spec_of, words
from api.kit.render import is_fragment, page
from api.kit.seats import AtWork
from api.pages.kiosk.case_view import Place, build
from api.pages.upright import turn_of_reading
from docproc.check.certainty import SURE
from docproc.errors import NotFoundError
from docproc.flow.applications import applications, remarks
from docproc.flow.applications.views import ApplicationView, FieldView, PageView, ReadingView, RemarkView
from docproc.matter.load import find_matter
from docproc.matter.model import Matter

router = APIRouter(route_class=HeadFirst, prefix="/kiosk/case")
PageId = Annotated[str, Form(max_length=32)]
Index = Annotated[int, Form(ge=0, le=10_000)]
Name = Annotated[str, Form(max_length=80)]
Said = Annotated[str, Form(max_length=remarks.MOST_LETTERS)]
State = Literal["sure", "doubted", "open", "blank", "remarked", "person"]


@dataclass(frozen=True, slots=True)
class ReadField:
    """One value as it was read."""

    key: str
    """Unique within the application; also the ``id`` of its element."""
    page_id: str
    index: int
    name: str
    label: str
    shown: str
    """The value in words."""
    state: State
    said: str
    """What the citizen said of it."""
    place: Place | None
    """Where it stands; ``None`` where the picture or the place is not known."""


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """One page with what was read from it."""

    key: str
    title: str
    picture: Place | None
    fields: tuple[ReadField, ...]

    @property
    def doubtful(self) -> int:
        """Values that an official will look at."""
        return sum(item.state in ("doubted", "open", "remarked") for item in self.fields)


def sheets(view: ApplicationView, matter: Matter) -> tuple[ReadSheet, ...]:
    """Every page that was read, in order; blank cells of tables are left out."""
    return tuple(_sheet(view, matter, item, reading) for item in view["pages"] for reading in item["readings"])


@router.get("/read/{page_id}/{index}")
def sheet_with_pictures(
    request: Request,
    ctx: Ctx,
    at_work: AtWork,
    page_id: Annotated[str, Path(max_length=32)],
    index: Annotated[int, Path(ge=0, le=10_000)],
) -> Response:
    """What was read from one page, with its picture and the ink of every value."""
    view = applications.view_application(ctx, at_work[0].caller, at_work[1])
    for sheet in sheets(view, find_matter(view["matter"])):
        if sheet.picture is not None and (sheet.picture.page_id, sheet.picture.index) == (page_id, index):
            return page(request, "kiosk/read_sheet.html", sheet=sheet, pictures=True)
    raise NotFoundError(f"page {page_id!r} was not read", message_zh="没有这一页的识别结果")


@router.get("/review/submit")
def submit_bar(request: Request, ctx: Ctx, at_work: AtWork) -> Response:
    """The end of the review, asked for until what the citizen said has been taken into account."""
    view = applications.view_application(ctx, at_work[0].caller, at_work[1])
    found = build(view, find_matter(view["matter"]))
    return page(request, "kiosk/submit_answer.html", case=found)


@router.post("/remarks", dependencies=[Csrf])
def remark(
    request: Request, ctx: Ctx, at_work: AtWork, page_id: PageId, index: Index, field: Name, said: Said = ""
) -> Response:
    """Keep that a value was read wrongly."""
    here, number = at_work
    view = remarks.remark(ctx, here.caller, number, page_id, index, field, said)
    return _answer(request, view, page_id, index, field)


@router.post("/remarks/take-back", dependencies=[Csrf])
def take_back(request: Request, ctx: Ctx, at_work: AtWork, page_id: PageId, index: Index, field: Name) -> Response:
    """Forget a remark."""
    here, number = at_work
    view = remarks.take_back(ctx, here.caller, number, page_id, index, field)
    return _answer(request, view, page_id, index, field)


def _answer(request: Request, view: ApplicationView, page_id: str, index: int, name: str) -> Response:
    matter = find_matter(view["matter"])
    key = key_of(page_id, index, name)
    if not is_fragment(request):
        return RedirectResponse(f"/kiosk/case/review#{key}", 303)
    found = next((item for sheet in sheets(view, matter) for item in sheet.fields if item.key == key), None)
    if found is None:
        raise NotFoundError(f"page {page_id} shows no field {name!r}", message_zh="没有这个字段")
    return page(request, "kiosk/read_answer.html", case=build(view, matter), field=found)


def key_of(page_id: str, index: int, name: str) -> str:
    """The ``id`` of a field's element."""
    return f"r-{page_id}-{index}-{name.replace('.', '_')}"


def _sheet(view: ApplicationView, matter: Matter, item: PageView, reading: ReadingView) -> ReadSheet:
    size = next((p for p in item["previews"] if p["index"] == reading["index"]), None)
    turn = turn_of_reading(reading)

    def place(field: FieldView | None) -> Place | None:
        box = field["box"] if field is not None else None
        if size is None or (field is not None and box is None):
            return None
        return Place(item["id"], reading["index"], size["width"], size["height"], box, turn)

    said = {
        remark["field"]: remark
        for remark in view["remarks"]
        if (remark["page_id"], remark["index"]) == (item["id"], reading["index"])
    }
    fields = tuple(
        _field(matter, reading, field, item["id"], said.get(field["name"]), place(field))
        for field in reading["fields"]
        if not ("." in field["name"] and field["value"] == "" and field["name"] not in said)
    )
    key = f"s-{item['id']}-{reading['index']}"
    return ReadSheet(key, _title(matter, reading, item["filename"]), place(None), fields)


def _field(
    matter: Matter, reading: ReadingView, field: FieldView, page_id: str, said: RemarkView | None, place: Place | None
) -> ReadField:
    spec = spec_of(matter, reading["material"], field["name"])
    return ReadField(
        key=key_of(page_id, reading["index"], field["name"]),
        page_id=page_id,
        index=reading["index"],
        name=field["name"],
        label=spec.label,
        shown=words(spec, field["value"]),
        state=_state(field, said),
        said=said["said"] if said is not None else "",
        place=place,
    )


def _state(field: FieldView, said: RemarkView | None) -> State:
    if said is not None and not said["settled"]:
        return "remarked"
    if field["value"] is None:
        return "open"
    if field["source"] == "person":
        return "person"
    if field["confidence"] < SURE and field["source"] != "registry":
        return "doubted"
    return "blank" if field["value"] == "" else "sure"


def _title(matter: Matter, reading: ReadingView, filename: str) -> str:
    material = next((item for item in matter.material if item.id == reading["material"]), None)
    if material is None:
        return filename
    several = material.sides > 1 or material.kind == "form"
    return f"{material.name}（第{reading['page']}页）" if several else material.name
