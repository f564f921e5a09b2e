"""``docproc verify``: sealed files, many at once, and photographs of printed licences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import track

from docproc.cli.common import Json, RevocationFolder, TrustFolder, emit, err, known_trust, moment, out
from docproc.settings import Settings

if TYPE_CHECKING:
    from docproc.flow.licences.photographs import PrintReport
    from docproc.licence.pki.trust import TrustList
    from docproc.licence.report.report import VerificationReport
    from docproc.licence.seal.status_list import StatusList

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"GIF8")


def verify(
    files: Annotated[list[Path], typer.Argument(help="Licences as PDF, or photographs.", exists=True, dir_okay=False)],
    trust: TrustFolder = None,
    revocation: RevocationFolder = None,
    at: Annotated[str | None, typer.Option(help="Moment of verification, ISO 8601; default now.")] = None,
    status_list: Annotated[
        Path | None,
        typer.Option(help="Signed status list, as fetched from /v1/status-list.", exists=True, dir_okay=False),
    ] = None,
    issued: Annotated[
        Path | None,
        typer.Option(
            help="Issued PDF to compare a photograph with, offline; default the register of the settings.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    pages: Annotated[
        bool, typer.Option("--pages", help="All files are photographs of the pages of one printed licence.")
    ] = False,
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="Write the report: .pdf (one page, Chinese) or .xml (ETSI TS 119 102-2)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify sealed licences offline, or photographs of printed ones; exit 1 unless everything holds."""
    from docproc.licence.verify.verify_limited import prepare

    settings = Settings()
    _check_report(report_file, len(files))
    prepare()
    when = moment(at)
    known = known_trust(settings, trust, revocation, when)
    listed = _listed(status_list, known, when) if status_list is not None else None
    if pages:
        told = _photo(settings, [path.read_bytes() for path in files], issued, known, when, listed)
        _tell(*told, as_json)
        raise typer.Exit(0 if told[0]["ok"] else 1)

    def one(data: bytes) -> Told:
        if data.startswith(_PICTURES):
            return _photo(settings, [data], issued, known, when, listed)
        return _file(settings, data, known, when, listed, report_file)

    shown = track(files, "verifying", console=err, disable=not err.is_terminal or len(files) < 2, transient=True)
    found = [one(path.read_bytes()) for path in shown]
    if len(files) == 1:
        _tell(*found[0], as_json)
    else:
        _tell_many(files, found, as_json)
    if not all(told["ok"] for told, _ in found):
        raise typer.Exit(1)


def _check_report(file: Path | None, count: int) -> None:
    if file is not None and (file.suffix.lower() not in (".pdf", ".xml") or count > 1):
        raise typer.BadParameter(f"{file.name}: a report is about one file and ends in .pdf or .xml")


def _listed(file: Path, trust: TrustList, at: datetime) -> StatusList:
    from docproc.licence.seal.status_list import read_status_list

    return read_status_list(file.read_text("utf-8"), trust, at)


Told = tuple[Mapping[str, Any], str]
"""The verdict as JSON and its sentence in Chinese."""


def _file(
    settings: Settings, data: bytes, trust: TrustList, at: datetime, listed: StatusList | None, report_file: Path | None
) -> Told:
    from docproc.licence.verify.verify_limited import verify_limited

    report = verify_limited(data, trust, at, listed=listed, seconds=settings.verify_cpu_seconds)
    if report_file is not None:
        _write_report(report, report_file)
    return report.to_json(), report.headline()


def _photo(
    settings: Settings,
    photos: list[bytes],
    issued: Path | None,
    trust: TrustList,
    at: datetime,
    listed: StatusList | None,
) -> Told:
    if issued is not None:
        told = _beside(settings, photos, issued.read_bytes(), trust, at, listed).to_json()
    else:
        from docproc.flow.core.context import open_context
        from docproc.flow.licences.photographs import verify_photo

        ctx = open_context(settings)
        try:
            told = verify_photo(ctx, photos)
        finally:
            ctx.close()
    return {key: value for key, value in told.items() if key != "headline"}, told["headline"]


def _beside(
    settings: Settings, photos: list[bytes], issued: bytes, trust: TrustList, at: datetime, listed: StatusList | None
) -> PrintReport:
    from docproc.flow.licences.photographs import PrintReport, compared
    from docproc.licence.verify.verify_limited import verify_limited
    from docproc.read.printed.photo import photo_codes

    report = verify_limited(issued, trust, at, listed=listed, seconds=settings.verify_cpu_seconds)
    if report.licence is None or report.indication != "TOTAL-PASSED" or report.integrity != "intact":
        raise typer.BadParameter(f"--issued: {report.headline()}")
    codes = photo_codes(photos)
    if not codes:
        return PrintReport("no-code")
    url = report.licence.verify_url
    return compared(photos, issued, report.licence, report.standing, url if url in codes else codes[0])


def _tell(told: Mapping[str, Any], headline: str, as_json: bool) -> None:
    if as_json:
        emit(told)
        return
    out.print(headline, style="green" if told["ok"] else "red")
    for key, value in told.items():
        if key != "print":
            out.print(f"  {key}: {value}", highlight=False)
    for item in told.get("print", {}).get("fields", ()):
        said = {"same": "一致", "differs": "不一致", "unreadable": "看不清"}[item["result"]]
        read = "" if item["result"] == "same" else f"，照片上为“{item['read']}”"
        out.print(f"  {item['label']}：{item['issued']}  {said}{read}", highlight=False)
    if "print" in told:
        out.print(f"  {told['print']['note']}", highlight=False)


def _tell_many(files: list[Path], found: list[Told], as_json: bool) -> None:
    good = sum(told["ok"] for told, _ in found)
    if as_json:
        results = [{"file": str(path), **told} for path, (told, _) in zip(files, found, strict=True)]
        counts = Counter(f"{told['indication']} {told['licence']['status']}" for told, _ in found)
        summary = {"files": len(files), "ok": good, "by_verdict": dict(sorted(counts.items()))}
        emit({"ok": good == len(files), "summary": summary, "results": results})
        return
    for path, (told, headline) in zip(files, found, strict=True):
        out.print(f"{path}: {headline}", style="green" if told["ok"] else "red", highlight=False)
    out.print(f"共 {len(files)} 份，通过 {good} 份，未通过 {len(files) - good} 份", highlight=False)


def _write_report(report: VerificationReport, path: Path) -> None:
    from docproc.licence.report.report_pdf import report_pdf
    from docproc.licence.report.report_xml import report_xml

    path.write_bytes(report_pdf(report) if path.suffix.lower() == ".pdf" else report_xml(report))
