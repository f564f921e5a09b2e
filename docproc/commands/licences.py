"""Verifying licences and keeping seals."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docproc.commands.common import Json, emit, out
from docproc.settings import Settings

if TYPE_CHECKING:
    from docproc.licence.report import VerificationReport

seal_app = typer.Typer(help="Seals and the development PKI.", no_args_is_help=True)


archive_app = typer.Typer(help="Archive packages of licences.", no_args_is_help=True)


def verify(
    file: Annotated[Path, typer.Argument(help="Licence as PDF.", exists=True, dir_okay=False)],
    trust: Annotated[Path | None, typer.Option(help="Folder of trusted certificates and CRLs.")] = None,
    at: Annotated[str | None, typer.Option(help="Moment of verification, ISO 8601; default now.")] = None,
    status_list: Annotated[
        Path | None,
        typer.Option(help="Signed status list, as fetched from /v1/status-list.", exists=True, dir_okay=False),
    ] = None,
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="Write the report: .pdf (one page, Chinese) or .xml (ETSI TS 119 102-2)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify a sealed licence offline; exit 1 unless everything holds."""
    from docproc.licence.sandbox import verify_limited
    from docproc.licence.status_list import read_status_list
    from docproc.licence.trust import TrustList

    settings = Settings()
    if report_file is not None and report_file.suffix.lower() not in (".pdf", ".xml"):
        raise typer.BadParameter(f"{report_file.name}: a report ends in .pdf or .xml")
    known = TrustList.from_folder(trust or settings.trust_dir)
    moment = _moment(at)
    listed = read_status_list(status_list.read_text("utf-8"), known, moment) if status_list is not None else None
    seconds = settings.verify_cpu_seconds
    report = verify_limited(file.read_bytes(), known, moment, listed=listed, seconds=seconds)
    if report_file is not None:
        _write_report(report, report_file)
    if as_json:
        emit(report.to_json())
    else:
        out.print(report.headline(), style="green" if report.ok else "red")
        for key, value in report.to_json().items():
            out.print(f"  {key}: {value}", highlight=False)
    if not report.ok:
        raise typer.Exit(1)


def renew(
    due: Annotated[bool, typer.Option("--due", help="Renew what is due; without it only report.")] = False,
    margin_days: Annotated[int, typer.Option(min=1, help="How long before its end a time-stamp is renewed.")] = 180,
    as_json: Json = False,
) -> None:
    """Renew archive time-stamps before they wear out; can be stopped and run again; exit 1 when some cannot be."""
    from docproc.flow.context import open_context
    from docproc.flow.renewing import look, renew_due
    from docproc.flow.sealing import open_renewer

    settings = Settings()
    ctx = open_context(settings)
    try:
        sweep = renew_due(ctx, open_renewer(settings), margin_days=margin_days) if due else look(ctx)
    finally:
        ctx.close()
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

    from docproc.flow import stamping
    from docproc.flow.archive import archive_files
    from docproc.flow.context import open_context
    from docproc.flow.sealing import open_sealer
    from docproc.licence.package import make_package
    from docproc.licence.trust import TrustList

    settings = Settings()
    ctx = open_context(settings)
    try:
        files = archive_files(ctx, number, TrustList.from_folder(settings.trust_dir))
    finally:
        ctx.close()
    path = to or Path(f"{number}.zip")
    path.write_bytes(make_package(files, open_sealer(settings).signer, partial(stamping.stamp, settings)))
    if as_json:
        emit({"file": str(path), "files": sorted(files)})
    else:
        out.print(f"{path}: {len(files)} files", highlight=False)


@archive_app.command("verify")
def archive_verify(
    file: Annotated[Path, typer.Argument(help="Archive package.", exists=True, dir_okay=False)],
    trust: Annotated[Path | None, typer.Option(help="Folder of trusted certificates and CRLs.")] = None,
    at: Annotated[str | None, typer.Option(help="Moment of verification, ISO 8601; default now.")] = None,
    as_json: Json = False,
) -> None:
    """Check an archive package on its own, without any store; exit 1 unless everything holds."""
    from docproc.licence.package import verify_package
    from docproc.licence.trust import TrustList

    known = TrustList.from_folder(trust or Settings().trust_dir)
    report = verify_package(file.read_bytes(), known, _moment(at))
    if as_json:
        emit(report.to_json())
    else:
        said = f"归档包完整有效：{report.number}，共 {report.files} 个文件" if report.ok else "归档包不完整或已被改动"
        out.print(said, style="green" if report.ok else "red", highlight=False)
        for problem in report.problems:
            out.print(f"  {problem}", highlight=False)
    if not report.ok:
        raise typer.Exit(1)


def _write_report(report: VerificationReport, path: Path) -> None:
    from docproc.licence.report_pdf import report_pdf
    from docproc.licence.report_xml import report_xml

    path.write_bytes(report_pdf(report) if path.suffix.lower() == ".pdf" else report_xml(report))


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write 2026-11-23 or 2026-11-23T10:00:00+08:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@seal_app.command("dev-pki")
def dev_pki(
    folder: Annotated[Path | None, typer.Option("--out", help="Folder; default the one of the settings.")] = None,
    as_json: Json = False,
) -> None:
    """Make the development PKI: root, issuing CA, seal, time-stamp and status certificates."""
    from docproc.licence.pki import make_dev_pki

    settings = Settings()
    place = folder or settings.certs_dir
    given = {"authority_code": settings.authority_code} if settings.authority_code else {}
    make_dev_pki(place, at=datetime.now(UTC), authority=settings.authority_name, **given)
    if as_json:
        emit({"folder": str(place)})
    else:
        out.print(f"development PKI in {place}; trusted by nobody, for development only")
