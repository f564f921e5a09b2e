"""Maintain a deployment: ``docproc retention``, ``backup``, ``restore`` and ``ingest``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docproc.cli.common import Json, MatterName, emit, err, out, read_settings

if TYPE_CHECKING:
    from docproc.ops.ingest import Report
    from docproc.settings import Settings
    from docproc.store.blobs.minio_source import Bucket

retention_app = typer.Typer(help="Deletion by the matters' rules.", no_args_is_help=True)


@retention_app.command("sweep")
def retention_sweep(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what is due.")] = False, as_json: Json = False
) -> None:
    """Erase what is due under the matters' rules; the workers do so automatically every hour."""
    from docproc.flow.core.context import open_context
    from docproc.flow.upkeep import retention

    ctx = open_context(read_settings())
    found = retention.report(ctx, None) if dry_run else retention.sweep(ctx)
    ctx.close()
    if as_json:
        emit({"dry_run": dry_run, **asdict(found)})
        return
    for matter, kinds in found.due.items():
        out.print(f"{matter}: " + ", ".join(f"{kind} {len(numbers)}" for kind, numbers in kinds.items()))
    out.print(f"{found.files} files deleted, {found.waiting} wait", highlight=False)


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder of the backup; an existing backup there is updated.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Add the processes' private keys of this machine, under a passphrase.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy database and blobs at one consistent point in time; the service may keep running.

    The passphrase of --with-keys is asked for, or read from DOCPROC_BACKUP_PASSPHRASE.
    """
    from docproc.flow.core.context import open_context
    from docproc.flow.upkeep.backup import back_up

    secret = _passphrase(new=True) if with_keys else None
    ctx = open_context(read_settings())
    made = back_up(ctx, folder, passphrase=secret)
    ctx.close()
    if as_json:
        emit(asdict(made))
        return
    out.print(f"{made.blobs} blobs, {made.copied} of them new; audit line {made.line}:{made.head}", soft_wrap=True)
    out.print(f"a restore needs the keys {', '.join(made.keys) or 'of nobody'}", highlight=False, soft_wrap=True)
    if made.secrets:
        told = f"its secrets are locked with {', '.join(made.secrets)}: keep accounts.secret and webhooks.secret apart"
        out.print(told, highlight=False, soft_wrap=True)
    held = f"the private keys of {', '.join(made.locked)} are in it" if made.locked else "no private key is in it"
    out.print(f"{held}; keep those of the other machines apart", highlight=False, soft_wrap=True)


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of the backup.", exists=True, file_okay=False)],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Take the keys out of the backup; asks for their passphrase.")
    ] = False,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="No key is left: believe the public keys in the backup.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup into an empty database and blob store, and verify it; exit 1 if anything is missing."""
    from docproc.flow.upkeep.backup import restore as run

    secret = _passphrase(new=False) if with_keys else None
    proof = run(read_settings(), folder, passphrase=secret, without_keys=without_keys)
    if as_json:
        emit({"ok": proof.ok, **asdict(proof)})
    else:
        out.print(f"{proof.originals} uploaded files, {proof.sealed} licences, {len(proof.problems)} problems")
        for problem in proof.problems:
            out.print(f"  {problem}", style="red", highlight=False, soft_wrap=True)
        for note in proof.notes:
            out.print(f"  {note}", style="yellow", highlight=False, soft_wrap=True)
    if not proof.ok:
        raise typer.Exit(1)


def _passphrase(*, new: bool) -> str:
    """Of the keys in a backup: from the environment, or asked for."""
    given = os.environ.get("DOCPROC_BACKUP_PASSPHRASE", "")
    return given or str(typer.prompt("passphrase of the keys", hide_input=True, confirmation_prompt=new, err=True))


def ingest(
    source: Annotated[
        str, typer.Argument(help="Folder or s3://HOST:PORT/BUCKET: a folder each application, or files.")
    ],
    matter: MatterName,
    server: Annotated[str, typer.Option(help="Address of the service.")],
    key: Annotated[str, typer.Option(help="API key with the role kiosk or clerk.", envvar="DOCPROC_KEY")],
    notes: Annotated[Path, typer.Option(help="Journal of what was done, to resume from.")] = Path("var/ingest.jsonl"),
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Requests at the same time.")] = 4,
    wait: Annotated[bool, typer.Option(help="Wait for every verdict.")] = True,
    as_json: Json = False,
) -> None:
    """Submit a folder or bucket of scans as a batch; run it again to resume; exit 1 if some could not be submitted."""
    from docproc.ops.client import Client
    from docproc.ops.ingest import ingest as run

    opened = _open_source(source, read_settings())
    with Client(server, key) as client, _ingest_bar() as show:
        report = run(client, opened, matter, notes, at_once=at_once, wait=wait, progress=show)
    if as_json:
        emit(asdict(report))
    else:
        for name, value in asdict(report).items():
            out.print(f"{name}: {value}", highlight=False, soft_wrap=True)
    if report.failed:
        raise typer.Exit(1)


def _open_source(source: str, settings: Settings) -> Path | Bucket:
    """A folder, or a bucket opened with the keys in the settings."""
    from docproc.store.blobs.minio_source import Bucket

    if source.startswith("s3:"):
        secret = settings.ingest_secret_key.get_secret_value()
        return Bucket.open(source, settings.ingest_access_key, secret, secure=settings.s3_secure)
    if not Path(source).is_dir():
        raise typer.BadParameter(f"{source!r} is no folder and no address s3://HOST:PORT/BUCKET")
    return Path(source)


@contextmanager
def _ingest_bar() -> Iterator[Callable[[Report], None]]:
    """A progress bar, drawn only on a terminal; yields the function that moves it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("applications", total=None)

        def show(report: Report) -> None:
            done = report.handed_in + report.done_before + len(report.failed)
            judged = f", {sum(report.verdicts.values())} with verdict" if done == report.parcels else ""
            bar.update(task, description=f"applications{judged}", completed=done, total=report.parcels)

        yield show
