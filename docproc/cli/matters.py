"""``docproc matter``: list, show and check the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from docproc.cli.common import Json, emit, new_table, out, the_day

matter_app = typer.Typer(help="The catalogue of matters.", no_args_is_help=True)


@matter_app.command("list")
def matter_list(as_json: Json = False) -> None:
    """List the matters."""
    from docproc.matter.load import load_catalogue
    from docproc.matter.opening import opens, why_closed

    matters, today = list(load_catalogue().values()), the_day(None)
    if as_json:
        emit(
            [
                {"id": m.id, "name": m.name, "code": m.number_code, "status": m.status, "open": opens(m, today)}
                for m in matters
            ]
        )
        return
    table = new_table("id", "事项", "状态", "材料")
    for item in matters:
        closed = why_closed(item, today)
        status = item.status if closed is None else f"{item.status}：{closed.message_zh}"
        table.add_row(item.id, item.name, status, "、".join(m.name for m in item.material))
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
    materials = new_table("材料", "必需", "说明", title="材料")
    for paper in item.material:
        need = "条件" if paper.when else ("必需" if paper.required else "可选")
        materials.add_row(paper.id, need, paper.name)
    rules = new_table("代码", "级别", "要求", "依据", title="审查规则")
    for rule in item.rule:
        rules.add_row(rule.id, rule.severity, rule.message, item.basis_text(rule.basis))
    out.print(materials, rules)


@matter_app.command("check")
def matter_check(
    files: Annotated[list[Path] | None, typer.Argument(help="Matter files; default all that ship.")] = None,
    as_json: Json = False,
) -> None:
    """Lint matter files; each mistake is reported with its line and remedy."""
    from docproc.errors import CatalogueError
    from docproc.flow.matters.catalogue_lint import lint_beside, lint_drawing
    from docproc.matter.load import MATTERS_DIR, load_matter

    paths = files or sorted(p for p in MATTERS_DIR.glob("*.toml") if not p.name.startswith("_"))
    problems = []
    for path in paths:
        try:
            lint_drawing(load_matter(path), path)
            lint_beside([path], MATTERS_DIR)
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
