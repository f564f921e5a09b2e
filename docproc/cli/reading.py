"""``form``, ``read`` and ``check``, which need neither a database nor a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docproc.cli.common import (
    Files,
    Json,
    MatterName,
    Today,
    counting_bar,
    emit,
    findings_table,
    new_table,
    out,
    read_settings,
    the_day,
)

if TYPE_CHECKING:
    from rich.table import Table

    from docproc.domain import PageReading


def form(
    matter: str,
    material: str,
    out_file: Annotated[Path | None, typer.Option("--out", help="PDF to write.")] = None,
    fill: Annotated[Path | None, typer.Option(help="JSON file {field: value} to print into the form.")] = None,
    layout: Annotated[bool, typer.Option("--layout", help="Print the position of every field, as JSON.")] = False,
    edition: Annotated[str | None, typer.Option(help="Edition; default the one in force.")] = None,
    form_id: Annotated[str | None, typer.Option(help="Serial of the print-out; default a new one.")] = None,
    sheets: Annotated[
        int, typer.Option(help="Sheets of each page with a table; more are printed where the values need them.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Make the printable form of a material, empty or filled, or its layout."""
    from docproc.form.draw import draw_form, new_form_id
    from docproc.form.layout import layout_of
    from docproc.form.sheets import plan
    from docproc.matter.load import find_matter
    from docproc.matter.opening import check_opens

    spec = find_matter(matter)
    chosen = spec.find_form(material, edition, None if edition else the_day(None))
    places = layout_of(spec, chosen)
    if layout:
        emit(places.to_json())
        return
    check_opens(spec, the_day(None))
    values = _read_values(fill) if fill else None
    serial = form_id or new_form_id()
    path = out_file or Path(f"{matter}-{material}.pdf")
    path.write_bytes(draw_form(spec, chosen, places, serial, values, sheets=sheets))
    count = len(plan(places, sheets, values or {}))
    if as_json:
        made = {"file": str(path), "form_id": serial, "edition": chosen.edition, "pages": places.pages}
        emit({**made, "sheets": count})
    else:
        printed = f"{places.pages} page(s) on {count} sheet(s)"
        out.print(f"{path}  {spec.name} {chosen.title}, edition {chosen.edition}, {printed}")


def _read_values(path: Path) -> dict[str, str]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path}: {error}; give a JSON object {{field: value}}") from None
    if not isinstance(data, dict):
        raise typer.BadParameter(f"{path}: give a JSON object {{field: value}}")
    return {str(k): ",".join(v) if isinstance(v, list) else str(v) for k, v in data.items()}


def _readings(files: list[Path], matter: str, material: str | None, today: date) -> Iterator[PageReading]:
    """Every page of the files, each as soon as it is read."""
    from docproc.matter.load import find_matter
    from docproc.scan.files.split_limited import prepare

    spec = find_matter(matter)
    if material is not None:
        spec.check_material(material)  # before the engine loads
    prepare()  # what opens files gets ready while the engine loads
    from docproc.read.pipeline import each_page_read, page_engine

    engine = page_engine(read_settings().engine_threads)
    with counting_bar() as show:
        for done, path in enumerate(files):
            show("reading", done, len(files))
            data = path.read_bytes()
            yield from each_page_read(data, path.name, spec, material=material, today=today, recogniser=engine)


def read(
    files: Files,
    matter: MatterName,
    material: Annotated[str | None, typer.Option(help="What the files are, if known.")] = None,
    today: Today = None,
    as_json: Json = False,
) -> None:
    """Read scans and show every field with its confidence; needs no store and no server."""
    readings = []
    for reading in _readings(files, matter, material, the_day(today)):
        readings.append(reading)
        if not as_json:
            out.print(_reading_table(reading))
    if as_json:
        from docproc.read.pipeline import reading_json

        emit({"pages": [reading_json(r) for r in readings]})
    if any(r.quality.verdict == "rescan" for r in readings):
        raise typer.Exit(1)


def _reading_table(reading: Any) -> Table:
    named = f"{reading.material or '未识别'}{'（声明，未识别）' if reading.claimed else ''}"
    title = f"{reading.file}[{reading.index}]  {named}  {reading.how}"
    table = new_table("字段", "值", "置信度", "原文", title=title)
    for item in reading.fields.values():
        value = "[red]需人工核对[/]" if item.value is None else item.value
        table.add_row(item.name, value, f"{item.confidence:.2f}", item.raw)
    for found in reading.quality.findings:
        table.add_row("", f"[yellow]{found.message}[/]", "", "")
    return table


def check(
    files: Files,
    matter: MatterName,
    material: Annotated[str | None, typer.Option(help="What the files are, if known.")] = None,
    today: Today = None,
    as_json: Json = False,
) -> None:
    """Read scans and check them against the matter's requirements; exit 1 unless the verdict is pass."""
    from docproc.check.check import check as run_check
    from docproc.check.check import judge_seals
    from docproc.check.seal_name import seal_json
    from docproc.matter.load import find_matter
    from docproc.read.pipeline import finding_json, reading_json

    day = the_day(today)
    readings = list(_readings(files, matter, material, day))
    result = run_check(find_matter(matter), readings, day)
    seals = [seal_json(*judged) for judged in judge_seals(find_matter(matter), readings)]
    if as_json:
        emit(
            {
                "pages": [reading_json(r) for r in readings],
                "verdict": result.verdict,
                "findings": [finding_json(f) for f in result.findings],
                "seals": seals,
            }
        )
    else:
        out.print(f"verdict: [bold]{result.verdict}[/]")
        out.print(findings_table(result.findings))
    if result.verdict != "pass":
        raise typer.Exit(1)
