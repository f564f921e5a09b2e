"""Matters and editions that an office puts in force: submitted by one person, confirmed by another, from a day on.

What is submitted is checked whole: every file by itself, every form drawn, every licence layout loaded. A form that
was ever printed keeps its layout for ever, for its cells are read where they stand; a new layout is a new edition.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.errors import ConflictError, InputError
from docproc.flow.core import dual_control, in_force
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.dual_control import Changes, ChangeView, change_view
from docproc.flow.matters.bundles import MATTER_NAME, unpack
from docproc.flow.matters.catalogue_lint import lint_catalogue
from docproc.licence.page.layout import FOLDER as LAYOUTS
from docproc.matter.load import load_catalogue, load_matter
from docproc.matter.model import Form, Matter, MatterStatus
from docproc.matter.opening import check_opens
from docproc.store.matters import catalogue
from docproc.store.tables.matters import CatalogueChangeRow

MOST_LINES = 400
"""Lines of a comparison that are shown."""


@dataclass(frozen=True, slots=True)
class Examined:
    """Files that were submitted and are in order."""

    files: dict[str, str]
    """Those that say something else than what is in force."""
    bases: dict[str, str]
    """SHA-256 of what each replaces; empty where it is new."""
    day: date
    """First day in force."""
    matters: tuple[Matter, ...]
    """All that were submitted."""


class FormView(TypedDict):
    """One edition of a form."""

    material: str
    edition: str
    title: str
    valid_from: str
    valid_to: str | None


class CheckedMatter(TypedDict):
    """A matter as the files would have it."""

    id: str
    name: str
    status: MatterStatus
    forms: list[FormView]


class CheckedFiles(TypedDict):
    """Files that are in order."""

    starts_on: str
    changed: list[str]
    """Files that say something else than what is in force then."""
    matters: list[CheckedMatter]


class CatalogueChange(ChangeView):
    """A change that was submitted."""

    files: list[str]
    starts_on: str


class ComparedChange(CatalogueChange):
    """A change beside what is in force."""

    compared: dict[str, list[str]]
    """Lines of a unified comparison by file."""
    matters: list[CheckedMatter]


def examine(ctx: Context, caller: Caller, sent: Sequence[tuple[str, bytes]], starts_on: date) -> Examined:
    """Check files as they would be in force; nothing is kept.

    Args:
        ctx: the service.
        caller: who submits.
        sent: name and content of each file; a zip holds several.
        starts_on: first day in force; a day that is over means today.

    Raises:
        CatalogueError: something is wrong, with file, line and remedy.
        InputError: not such files.
    """
    caller.require("manage_matters")
    files, day = unpack(sent), max(starts_on, ctx.today())
    with ctx.database.read() as session:
        before = _in_force_on(session, day)
    current = in_force.lay_out(ctx.settings.data_dir, before)
    with TemporaryDirectory() as scratch:
        folder = in_force.lay_out(Path(scratch), {**before, **files})
        lint_catalogue(folder, current, files, day)
        matters = [load_matter(folder / name) for name in sorted(files) if MATTER_NAME.fullmatch(name)]
    bases = {name: _sha256(_text_of(current, name)) for name in files}
    changed = {name: text for name, text in files.items() if bases[name] != _sha256(text)}
    return Examined(changed, {name: bases[name] for name in changed}, day, tuple(matters))


def propose(
    ctx: Context, caller: Caller, sent: Sequence[tuple[str, bytes]], starts_on: date, reason: str
) -> CatalogueChange:
    """Submit matter files and layouts; they take effect once another person confirms them; else as :func:`examine`.

    Raises:
        InputError: no reason is given.
        ConflictError: nothing would change.
    """
    found = examine(ctx, caller, sent, starts_on)

    def add(session: Session, reason: str, at: datetime) -> CatalogueChangeRow:
        if not found.files:
            raise ConflictError("nothing would change", message_zh="文件与现行内容相同")
        return catalogue.add_change(session, found.files, found.bases, found.day, reason, caller.subject, at)

    return dual_control.propose(ctx, caller, CHANGES, reason, add)


def confirm(ctx: Context, caller: Caller, change_id: str, *, refuse: bool = False) -> CatalogueChange:
    """Put in force, or refuse, what another person submitted.

    Raises:
        AccessError: the same person as handed it in.
        ConflictError: it is closed already, or what it replaces changed meanwhile.
        CatalogueError: it does not fit what is in force by now.
    """
    view = dual_control.close(ctx, caller, CHANGES, change_id, refuse=refuse)
    in_force.refresh(ctx.database, ctx.settings.data_dir, ctx.today(), now=True)
    return view


def _check_fits(ctx: Context, session: Session, row: CatalogueChangeRow, _by: dual_control.Persons) -> None:
    """Refuse to put in force what does not fit what is in force by now; a day that is over becomes today."""
    row.starts_on = max(row.starts_on, ctx.today())
    before = _in_force_on(session, row.starts_on)
    current = in_force.lay_out(ctx.settings.data_dir, before)
    if any(_sha256(_text_of(current, name)) != base for name, base in row.bases.items()):
        raise ConflictError("the base changed", message_zh="所替换的文件已有新的变更，请在其基础上重新提出")
    folder = in_force.lay_out(ctx.settings.data_dir, {**before, **row.files})
    lint_catalogue(folder, current, row.files, row.starts_on)


def list_changes(ctx: Context, caller: Caller) -> list[CatalogueChange]:
    """Changes, those that wait first."""
    caller.require("confirm_matters")
    with ctx.database.read() as session:
        return dual_control.listed(session, CHANGES)


def change(ctx: Context, caller: Caller, change_id: str) -> ComparedChange:
    """One change with a comparison of each file, and the matters as they would be."""
    row, matters, current = _laid_out(ctx, caller, change_id)
    compared = {name: _compare(_text_of(current, name), text) for name, text in sorted(row.files.items())}
    return {**_view(row), "compared": compared, "matters": [matter_view(item) for item in matters]}


def checked_view(found: Examined) -> CheckedFiles:
    """What is shown of files that are in order."""
    matters = [matter_view(item) for item in found.matters]
    return {"starts_on": found.day.isoformat(), "changed": sorted(found.files), "matters": matters}


def matter_view(matter: Matter) -> CheckedMatter:
    """What is shown of a matter whose files were submitted."""
    forms = [_form_view(item) for item in matter.form]
    return {"id": matter.id, "name": matter.name, "status": matter.status, "forms": forms}


def preview(ctx: Context, caller: Caller, change_id: str, matter: str, material: str, edition: str) -> bytes:
    """A form as the change would have it, as PDF.

    Raises:
        NotFoundError: no such change, matter or form.
        MatterClosedError: the matter would be closed on the change's day, so that the form prints for nobody.
    """
    row, matters, _ = _laid_out(ctx, caller, change_id)
    spec = next((item for item in matters if item.id == matter), None)
    if spec is None:
        raise InputError(f"{matter!r} is not in the change", message_zh="这项变更不含该事项")
    from docproc.form.draw import draw_form, new_form_id  # fonts and PDF library load on the first form only
    from docproc.form.layout import layout_of

    check_opens(spec, row.starts_on)
    form = spec.find_form(material, edition)
    return draw_form(spec, form, layout_of(spec, form), new_form_id())


def _laid_out(ctx: Context, caller: Caller, change_id: str) -> tuple[CatalogueChangeRow, list[Matter], Path]:
    """A change, its matters as they would be, and the folder of what is in force then without it."""
    caller.require("confirm_matters")
    with ctx.database.read() as session:
        row = catalogue.find_change(session, change_id)
        before = _in_force_on(session, row.starts_on)
    matters = load_catalogue(in_force.lay_out(ctx.settings.data_dir, {**before, **row.files}))
    touched = [matters[name.removesuffix(".toml")] for name in sorted(row.files) if MATTER_NAME.fullmatch(name)]
    return row, touched, in_force.lay_out(ctx.settings.data_dir, before)


def source(ctx: Context, caller: Caller, name: str) -> str:
    """The text of a matter file in force, to change and submit again."""
    caller.require("confirm_matters")
    with ctx.database.read() as session:
        before = _in_force_on(session, ctx.today())
    if not MATTER_NAME.fullmatch(name):
        raise InputError(f"{name!r} is no matter file", message_zh="没有这个事项")
    text = _text_of(in_force.lay_out(ctx.settings.data_dir, before), name)
    if not text:
        raise InputError(f"{name!r} is no matter file", message_zh="没有这个事项")
    return text


def _in_force_on(session: Session, day: date) -> dict[str, str]:
    return catalogue.files_of(session, catalogue.confirmed_ids(session, day))


def _text_of(folder: Path, name: str) -> str:
    """A file as it is in force; empty where there is none."""
    path = folder / name
    if not path.is_file() and name.startswith("layouts/"):
        path = LAYOUTS / name.removeprefix("layouts/")
    return path.read_text("utf-8") if path.is_file() else ""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def _compare(old: str, new: str) -> list[str]:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))[2:]
    return [*lines[:MOST_LINES], *(["…"] if len(lines) > MOST_LINES else [])]


def _form_view(form: Form) -> FormView:
    return {
        "material": form.material,
        "edition": form.edition,
        "title": form.title,
        "valid_from": form.valid_from.isoformat(),
        "valid_to": form.valid_to.isoformat() if form.valid_to is not None else None,
    }


def _view(row: CatalogueChangeRow) -> CatalogueChange:
    return {**change_view(row), "files": sorted(row.files), "starts_on": row.starts_on.isoformat()}


def _noted_on_proposal(row: CatalogueChangeRow) -> dual_control.Noted:
    files = {name: _sha256(text) for name, text in row.files.items()}
    return {"reason": row.reason, "starts_on": row.starts_on.isoformat(), "files": files}


def _noted_on_closing(row: CatalogueChangeRow) -> dual_control.Noted:
    starts_on = row.starts_on.isoformat()
    return {"proposed_by": row.proposed_by, "starts_on": starts_on, "files": sorted(row.files)}


CHANGES: Changes[CatalogueChangeRow, CatalogueChange] = Changes(
    topic="catalogue",
    may_propose="manage_matters",
    may_close="confirm_matters",
    closing="puts matters in force",
    same_person_zh="提出人与确认人不能是同一人",
    closed_zh="这项事项变更已经处理",
    no_reason_zh="请填写变更说明",
    find=partial(catalogue.find_change, lock=True),
    newest=catalogue.newest_changes,
    view=_view,
    subject=lambda row: row.id,
    noted_on_proposal=_noted_on_proposal,
    noted_on_closing=_noted_on_closing,
    effect=_check_fits,
)
