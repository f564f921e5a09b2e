"""Keep issued licences: renew their time-stamps, and export and verify archive packages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from docproc.cli.common import Json, RevocationFolder, TrustFolder, emit, known_trust, moment, out, read_settings

archive_app = typer.Typer(help="Archive packages of licences.", no_args_is_help=True)


def renew(
    due: Annotated[bool, typer.Option("--due", help="Renew what is due; without it only report.")] = False,
    margin_days: Annotated[int, typer.Option(min=1, help="How long before its end a time-stamp is renewed.")] = 180,
    as_json: Json = False,
) -> None:
    """Renew archive time-stamps before they expire; can be interrupted and resumed; exit 1 if some cannot be."""
    from docproc.flow.core.context import open_context
    from docproc.flow.licences.renewal import Sweep, look, renew_due
    from docproc.flow.seals.sealer import open_renewer

    settings = read_settings()
    ctx = open_context(settings)
    try:
        sweep = renew_due(ctx, open_renewer(settings), margin_days=margin_days) if due else Sweep()
        after = look(ctx)
    finally:
        ctx.close()
    sweep.looked += after.looked
    sweep.ends = after.ends
    if as_json:
        emit(asdict(sweep))
    else:
        for key, value in asdict(sweep).items():
            out.print(f"{key}: {value}", highlight=False)
    if sweep.failed:
        raise typer.Exit(1)


@archive_app.command("export")
def archive_export(
    number: Annotated[str, typer.Argument(help="Licence number.")],
    to: Annotated[Path | None, typer.Option("--out", help="File to write; default NUMBER.zip.")] = None,
    as_json: Json = False,
) -> None:
    """Write the archive package of a licence; needs the seal key, so run it where the sealer runs."""
    from functools import partial

    from docproc.flow.core import reads
    from docproc.flow.core.context import open_context
    from docproc.flow.licences.archive import archive_files
    from docproc.flow.seals import timestamps
    from docproc.flow.seals.sealer import open_sealer
    from docproc.licence.verify.package import make_package

    settings = read_settings()
    ctx = open_context(settings, role="sealer")
    try:
        with reads.logged(ctx):
            files = archive_files(ctx, number)
            reads.note(None, "archive", number, by="console", purpose="supervision")
    finally:
        ctx.close()
    path = to or Path(f"{number}.zip")
    path.write_bytes(make_package(files, open_sealer(settings).signer, partial(timestamps.stamp, settings)))
    if as_json:
        emit({"file": str(path), "files": sorted(files)})
    else:
        out.print(f"{path}: {len(files)} files", highlight=False)


@archive_app.command("verify")
def archive_verify(
    file: Annotated[Path, typer.Argument(help="Archive package.", exists=True, dir_okay=False)],
    trust: TrustFolder = None,
    revocation: RevocationFolder = None,
    at: Annotated[str | None, typer.Option(help="Moment of verification, ISO 8601; default now.")] = None,
    as_json: Json = False,
) -> None:
    """Verify an archive package by itself, without any store; exit 1 unless everything is valid."""
    from docproc.licence.verify.package import verify_package

    when = moment(at)
    report = verify_package(file.read_bytes(), known_trust(read_settings(), trust, revocation, when), when)
    if as_json:
        emit(report.to_json())
    else:
        said = f"归档包完整有效：{report.number}，共 {report.files} 个文件" if report.ok else "归档包不完整或已被改动"
        out.print(said, style="green" if report.ok else "red", highlight=False)
        for problem in report.problems:
            out.print(f"  {problem}", highlight=False)
    if not report.ok:
        raise typer.Exit(1)
