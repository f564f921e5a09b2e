"""Checks on a whole catalogue: forms that can be drawn, layouts that are there, and what must not change."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from docproc.errors import CatalogueError, DocprocError
from docproc.licence.page.layout import load_layout
from docproc.matter.codes import lint_codes
from docproc.matter.load import load_matter
from docproc.matter.model import Form, Matter
from docproc.matter.toml_lines import line_of


def lint_catalogue(folder: Path, before: Path, names: Collection[str], day: date) -> None:
    """Check files of a folder against what was in force before.

    Args:
        folder: the catalogue as it would be.
        before: the catalogue as it is.
        names: files that are new or changed.
        day: first day in force.

    Raises:
        CatalogueError: with file, line, problem and remedy.
    """
    for name in names:
        if name.startswith("layouts/"):
            load_layout(name.removeprefix("layouts/").removesuffix(".toml"), folder / "layouts")
    matters = {path: load_matter(path) for path in _matter_files(folder)}
    lint_codes(matters, names, {matter.id: matter for matter in map(load_matter, _matter_files(before))})
    for path, matter in matters.items():
        if path.name in names or f"layouts/{matter.licence.layout}.toml" in names:
            lint_drawing(matter, path)
        if path.name in names:
            old = before / path.name
            _lint_kept(matter, load_matter(old) if old.is_file() else None, path, day)


def lint_beside(paths: Sequence[Path], folder: Path) -> None:
    """Check matter files, wherever they lie, against the others of a catalogue that they would be put in.

    Raises:
        CatalogueError: with file, line, problem and remedy.
    """
    names = {path.name for path in paths}
    files = [*(path for path in _matter_files(folder) if path.name not in names), *paths]
    lint_codes({path: load_matter(path) for path in files}, names)


def _matter_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.toml") if not path.name.startswith("_"))


def lint_drawing(matter: Matter, path: Path) -> None:
    """Lay out every form and load the licence's layout.

    Raises:
        CatalogueError: something does not fit.
    """
    from docproc.form.layout import layout_of

    for index, form in enumerate(matter.form):
        try:
            layout_of(matter, form)
        except DocprocError as error:
            raise _fault(path, ("form", index), str(error), "shorten it or add a page") from error
    kept = path.parent / "layouts"
    name = matter.licence.layout
    try:
        layout = load_layout(name, kept if (kept / f"{name}.toml").is_file() else None)
    except CatalogueError:
        raise
    except DocprocError as error:
        raise _fault(path, ("licence", "layout"), str(error), "name a layout that is there") from error
    if len(layout.co_seal) < len(matter.licence.co_seals):
        problem = f"layout {name} has {len(layout.co_seal)} [[co_seal]] places"
        raise _fault(path, ("licence", "co_seals"), problem, "add a place to the layout for each seal")


def _lint_kept(matter: Matter, old: Matter | None, path: Path, day: date) -> None:
    """Editions in force stay as they were printed, papers stay known, and each form has an edition in force."""
    from docproc.form.layout import layout_of

    known = {(form.material, form.edition): form for form in old.form} if old is not None else {}
    now = {(form.material, form.edition): (index, form) for index, form in enumerate(matter.form)}
    if old is not None:
        for item in old.material:
            if item.id not in {m.id for m in matter.material}:
                problem = f"material {item.id!r} is gone, but applications hold it"
                raise _fault(path, (), problem, "keep it with required = false")
    for key, form in known.items():
        if form.valid_from > day or old is None:
            continue
        if key not in now:
            problem = f"edition {form.edition} of {form.material} is gone, but it was printed"
            raise _fault(path, (), problem, "keep it and give it a valid_to")
        index, new = now[key]
        if layout_of(old, form) != layout_of(matter, new):
            problem = f"edition {form.edition} of {form.material} was printed with another layout"
            raise _fault(
                path, ("form", index), problem, "leave it as it was and add a new [[form]] with its own edition"
            )
    for index, form in now.values():
        if (form.material, form.edition) not in known:
            _try_draw(matter, form, path, index)
    for index, item in enumerate(matter.material):
        if (
            item.kind == "form"
            and matter.is_open_somewhere
            and not any(form.material == item.id and form.valid(day) for form in matter.form)
        ):
            problem = f"no edition of {item.id!r} is in force on {day}"
            raise _fault(path, ("material", index), problem, "give a [[form]] a valid_from that is not later")


def _try_draw(matter: Matter, form: Form, path: Path, index: int) -> None:
    from docproc.form.draw import draw_form, new_form_id  # fonts and PDF library load when they are needed
    from docproc.form.layout import layout_of

    try:
        draw_form(matter, form, layout_of(matter, form), new_form_id())
    except DocprocError as error:
        raise _fault(path, ("form", index), str(error), "correct the form") from error


def _fault(path: Path, where: tuple[str | int, ...], problem: str, remedy: str) -> CatalogueError:
    return CatalogueError(path.name, line_of(path.read_text("utf-8"), where), problem, remedy)
