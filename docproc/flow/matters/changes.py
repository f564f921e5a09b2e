"""Matters and editions that an office puts in force: handed in by one person, confirmed by another, from a day on.

What is handed in is checked whole: every file by itself, every form drawn, every licence layout loaded. A form that
was ever printed keeps its layout for ever, for its cells are read where they stand; a new layout is a new edition.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.orm import Session

from docproc.errors import ConflictError, InputError
from docproc.flow.core import in_force
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.dual_control import check_closable, close
from docproc.flow.matters.bundles import MATTER_NAME, unpack
from docproc.flow.matters.catalogue_lint import lint_catalogue
from docproc.licence.page.layout import FOLDER as LAYOUTS
from docproc.matter.load import load_catalogue, load_matter
from docproc.matter.model import Matter
from docproc.store.audit import audit
from docproc.store.matters import changes
from docproc.store.tables.matters import CatalogueChangeRow

MOST_LINES = 400
"""Lines of a comparison that are shown."""


@dataclass(frozen=True, slots=True)
class Examined:
    """Files that were handed in and are in order."""

    files: dict[str, str]
    """Those that say something else than what is in force."""
    bases: dict[str, str]
    """SHA-256 of what each replaces; empty where it is new."""
    day: date
    """First day in force."""
    matters: tuple[Matter, ...]
    """All that were handed in."""


def examine(ctx: Context, caller: Caller, sent: Sequence[tuple[str, bytes]], starts_on: date) -> Examined:
    """Check files as they would be in force; nothing is kept.

    Args:
        ctx: the service.
        caller: who hands in.
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
) -> dict[str, Any]:
    """Hand in matter files and layouts; they take effect once another person confirms them; else as :func:`examine`.

    Raises:
        InputError: no reason is given.
        ConflictError: nothing would change.
    """
    found = examine(ctx, caller, sent, starts_on)
    if not reason.strip():
        raise InputError("a reason is needed", message_zh="请填写变更说明")
    if not found.files:
        raise ConflictError("nothing would change", message_zh="文件与现行内容相同")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = changes.add_change(
            session, found.files, found.bases, found.day, reason.strip()[:2000], caller.subject, at
        )
        audit.append(
            session, at, caller.subject, "catalogue.proposed", row.id, reason=row.reason,
            starts_on=found.day.isoformat(), files={name: _sha256(text) for name, text in found.files.items()},
        )  # fmt: skip
        return _view(row)


def confirm(ctx: Context, caller: Caller, change_id: str, *, refuse: bool = False) -> dict[str, Any]:
    """Put in force, or refuse, what another person handed in.

    Raises:
        AccessError: the same person as handed it in.
        ConflictError: it is closed already, or what it replaces changed meanwhile.
        CatalogueError: it does not fit what is in force by now.
    """
    caller.require("confirm_matters")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = changes.find_change(session, change_id, lock=True)
        check_closable(caller, row, "puts matters in force", "提出人与确认人不能是同一人", "这项事项变更已经处理")
        if not refuse:
            row.starts_on = max(row.starts_on, ctx.today())
            before = _in_force_on(session, row.starts_on)
            current = in_force.lay_out(ctx.settings.data_dir, before)
            if any(_sha256(_text_of(current, name)) != base for name, base in row.bases.items()):
                raise ConflictError("the base changed", message_zh="所替换的文件已有新的变更，请在其基础上重新提出")
            folder = in_force.lay_out(ctx.settings.data_dir, {**before, **row.files})
            lint_catalogue(folder, current, row.files, row.starts_on)
        close(caller, row, at, refuse=refuse)
        audit.append(
            session, at, caller.subject, f"catalogue.{row.state}", row.id,
            proposed_by=row.proposed_by, starts_on=row.starts_on.isoformat(), files=sorted(row.files),
        )  # fmt: skip
        view = _view(row)
    in_force.refresh(ctx.database, ctx.settings.data_dir, ctx.today(), now=True)
    return view


def list_changes(ctx: Context, caller: Caller) -> list[dict[str, Any]]:
    """Changes, those that wait first."""
    caller.require("confirm_matters")
    with ctx.database.read() as session:
        return [_view(row) for row in changes.newest_changes(session)]


def change(ctx: Context, caller: Caller, change_id: str) -> dict[str, Any]:
    """One change with a comparison of each file, and the matters as they would be."""
    caller.require("confirm_matters")
    with ctx.database.read() as session:
        row = changes.find_change(session, change_id)
        before = _in_force_on(session, row.starts_on)
    matters = load_catalogue(in_force.lay_out(ctx.settings.data_dir, {**before, **row.files}))
    current = in_force.lay_out(ctx.settings.data_dir, before)
    compared = {name: _compare(_text_of(current, name), text) for name, text in sorted(row.files.items())}
    touched = [matters[name.removesuffix(".toml")] for name in sorted(row.files) if MATTER_NAME.fullmatch(name)]
    return {**_view(row), "compared": compared, "matters": touched}


def preview(ctx: Context, caller: Caller, change_id: str, matter: str, material: str, edition: str) -> bytes:
    """A form as the change would have it, as PDF.

    Raises:
        NotFoundError: no such change, matter or form.
    """
    found: list[Matter] = change(ctx, caller, change_id)["matters"]
    spec = next((item for item in found if item.id == matter), None)
    if spec is None:
        raise InputError(f"{matter!r} is not in the change", message_zh="这项变更不含该事项")
    from docproc.form.draw import draw_form, new_form_id  # fonts and PDF library load on the first form only
    from docproc.form.layout import layout_of

    form = spec.find_form(material, edition)
    return draw_form(spec, form, layout_of(spec, form), new_form_id())


def source(ctx: Context, caller: Caller, name: str) -> str:
    """The text of a matter file in force, to change and hand in again."""
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
    return changes.files_of(session, changes.confirmed_ids(session, day))


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


def _view(row: CatalogueChangeRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "files": sorted(row.files),
        "starts_on": row.starts_on.isoformat(),
        "reason": row.reason,
        "state": row.state,
        "proposed_by": row.proposed_by,
        "proposed_at": row.proposed_at.isoformat(),
        "closed_by": row.closed_by,
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
    }
