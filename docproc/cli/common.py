"""What all commands share: options, consoles, JSON output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from docproc.errors import SetupError, UnavailableError

if TYPE_CHECKING:
    from rich.table import Table

    from docproc.licence.pki.trust import TrustList
    from docproc.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Files = Annotated[list[Path], typer.Argument(help="JPEG, PNG, TIFF or PDF files.", exists=True, dir_okay=False)]
MatterName = Annotated[str, typer.Option("--matter", help="Matter id, see `docproc matter list`.")]
Today = Annotated[str | None, typer.Option(help="Day to check against, YYYY-MM-DD; default today.")]

TrustFolder = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        help="Folder of trusted certificates and CRLs; default the settings' and the recognised roots.",
    ),
]
RevocationFolder = Annotated[
    Path | None, typer.Option("--revocation", help="Folder of further CRLs (*.crl) and OCSP responses (*.ocsp).")
]

out = Console()
err = Console(stderr=True)


def emit(data: Any) -> None:
    """Print JSON as UTF-8."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def read_settings() -> Settings:
    """The settings of the environment. Loaded here, for they take a third of the time in which a command starts."""
    from docproc.settings import Settings

    return Settings()


def new_table(*columns: str, title: str | None = None) -> Table:
    """An empty table for the terminal."""
    from rich.table import Table

    return Table(*columns, title=title, title_justify="left")


@contextmanager
def counting_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function of name, done and total that draws a bar on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name)
            bar.update(tasks[name], completed=done, total=total)

        yield show


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


def moment(text: str | None) -> datetime:
    """The moment given on the command line, or now.

    Raises:
        typer.BadParameter: it is not a time.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write 2026-11-23 or 2026-11-23T10:00:00+08:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def known_trust(settings: Settings, folder: Path | None, revocation: Path | None, at: datetime) -> TrustList:
    """The trust list of a command: the given folder, or that of the settings with the recognised roots.

    Revocation information that has expired at the moment of verification is used, with a warning that it has expired.

    Raises:
        SetupError: a folder is missing or wrong, or contains revocation information from an unknown issuer.
    """
    from docproc.flow.seals.trusted import trust_of
    from docproc.licence.pki.revocation import unknown_sources
    from docproc.licence.pki.trust import TrustList

    try:
        known = TrustList.from_folder(folder) if folder is not None else trust_of(settings)
    except UnavailableError as error:
        err.print(f"without the recognised roots of other departments: {error}", style="yellow", highlight=False)
        known = TrustList.from_folder(settings.trust_dir)
    if revocation is None:
        return known
    known = known.informed(revocation)
    if unknown := unknown_sources(known):
        # it would count for nothing, and a revocation in it would stay unseen
        raise SetupError(
            f"no trusted certificate signed the revocation information of {', '.join(unknown)}: put the "
            "certificates of its issuer into the trust folder"
        )
    for name, end in known.evidence.ended(at).items():
        told = f"{name} ended on {end:%Y-%m-%d %H:%M} UTC: what was revoked since then is not seen; fetch a newer one"
        err.print(told, style="yellow", highlight=False)
    return known


def findings_table(findings: Any) -> Table:
    """Findings as a table for the terminal."""
    table = new_table("代码", "级别", "材料", "说明", "依据")
    for item in findings:
        level = f"{item.severity}, look" if item.look else item.severity
        table.add_row(item.code, level, item.material or "", item.message, item.basis)
    return table
