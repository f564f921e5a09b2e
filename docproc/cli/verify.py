"""``docproc verify``: sealed files, many at once, and photographs of printed licences."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docproc.cli.common import (
    Json,
    RevocationFolder,
    TrustFolder,
    counting_bar,
    emit,
    err,
    known_trust,
    moment,
    out,
    read_settings,
)

if TYPE_CHECKING:
    from docproc.flow.licences.print_report import PhotoVerification, PrintReport
    from docproc.licence.pki.trust import TrustList
    from docproc.licence.report.report import VerificationReport
    from docproc.licence.seal.status_list import StatusList
    from docproc.settings import Settings

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
    """Verify sealed licences offline, or photographs of printed ones; exit 1 unless everything is valid."""
    _start_helpers(files, photos=pages or any(_is_picture(path) for path in files), sealed=issued is not None)
    settings = read_settings()
    _check_report(report_file, len(files))
    when = moment(at)
    known = known_trust(settings, trust, revocation, when)
    listed = _listed(status_list, known, when) if status_list is not None else None
    verifier = _Verifier(settings, known, when, listed, issued, report_file)
    with err.status("verifying") if err.is_terminal and len(files) == 1 else nullcontext():
        found = [verifier.photo([path.read_bytes() for path in files])] if pages else _each(files, verifier)
    if len(found) == 1:
        _tell(*found[0], as_json)
    else:
        _tell_many(files, found, as_json)
    if not all(told["ok"] for told, _ in found):
        raise typer.Exit(1)


def _start_helpers(files: list[Path], *, photos: bool, sealed: bool) -> None:
    """Start the processes that open files: they load what they need while this one loads settings and certificates."""
    if photos:
        from docproc.read.printed import photo

        photo.prepare()
    if sealed or not photos or len(files) > 1:
        from docproc.licence.verify import verify_limited

        verify_limited.prepare(len(files))


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8).startswith(_PICTURES)


def _each(files: list[Path], verifier: _Verifier) -> list[Told]:
    """Verify several files, as many at once as the machine has cores; each in a process of its own anyway."""
    if len(files) == 1:
        return [verifier.file_or_photo(files[0].read_bytes())]
    found = []
    with counting_bar() as show, ThreadPoolExecutor(os.cpu_count()) as pool:
        for told in pool.map(lambda path: verifier.file_or_photo(path.read_bytes()), files):
            found.append(told)
            show("verifying", len(found), len(files))
    return found


def _check_report(file: Path | None, count: int) -> None:
    if file is not None and (file.suffix.lower() not in (".pdf", ".xml") or count > 1):
        raise typer.BadParameter(f"{file.name}: a report is about one file and ends in .pdf or .xml")


def _listed(file: Path, trust: TrustList, at: datetime) -> StatusList:
    from docproc.licence.seal.status_list import read_status_list

    return read_status_list(file.read_text("utf-8"), trust, at)


Told = tuple[Mapping[str, Any], str]
"""The verdict as JSON and its sentence in Chinese."""


@dataclass(frozen=True, slots=True)
class _Verifier:
    """What a run verifies with, and how it verifies each file."""

    settings: Settings
    trust: TrustList
    at: datetime
    listed: StatusList | None
    """What the status list says, where one was given."""
    issued: Path | None
    """Issued PDF to compare photographs with."""
    report_file: Path | None

    def file_or_photo(self, data: bytes) -> Told:
        """Verify a sealed file, or a photograph of one page of a printed licence."""
        return self.photo([data]) if data.startswith(_PICTURES) else self.file(data)

    def file(self, data: bytes) -> Told:
        """Verify a sealed file, and write the report where one is asked for."""
        from docproc.licence.report.headline import headline

        report = self._verified(data)
        if self.report_file is not None:
            _write_report(report, self.report_file)
        return report.to_json(), headline(report)

    def photo(self, photos: list[bytes]) -> Told:
        """Compare photographs of a printed licence with the issued file that was given, or with the register."""
        if self.issued is not None:
            told = self._beside(photos, self.issued.read_bytes()).to_json()
        else:
            told = self._in_register(photos)
        return {key: value for key, value in told.items() if key != "headline"}, told["headline"]

    def _verified(self, data: bytes) -> VerificationReport:
        from docproc.flow.core.authority import own_code
        from docproc.licence.verify.verify_limited import verify_limited

        seconds, own = self.settings.verify_cpu_seconds, own_code(self.settings)
        return verify_limited(data, self.trust, self.at, listed=self.listed, own=own, seconds=seconds)

    def _in_register(self, photos: list[bytes]) -> PhotoVerification:
        from docproc.flow.core.context import open_context
        from docproc.flow.licences.photographs import verify_photo

        ctx = open_context(self.settings)
        try:
            return verify_photo(ctx, photos)
        finally:
            ctx.close()

    def _beside(self, photos: list[bytes], issued: bytes) -> PrintReport:
        from docproc.flow.licences.print_report import PrintReport, compared
        from docproc.licence.report.headline import headline
        from docproc.read.printed.photo import photo_codes

        report = self._verified(issued)
        if report.licence is None or report.indication != "TOTAL-PASSED" or report.integrity != "intact":
            raise typer.BadParameter(f"--issued: {headline(report)}")
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
