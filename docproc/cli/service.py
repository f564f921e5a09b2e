"""Run the service: ``serve``, ``worker``, ``migrate``, ``submit``, ``doctor`` and ``demo``."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from docproc.cli.common import Files, Json, MatterName, emit, new_table, out, read_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of database and blobs.")] = None,
    web_only: Annotated[bool, typer.Option("--web-only", help="No workers here: they run elsewhere.")] = False,
) -> None:
    """Run the service on this machine: web, readers and sealer under one parent, or the web process alone."""
    from api.serve import serve as run
    from docproc.log import configure

    given = {"host": host, "port": port, "data_dir": data_dir}
    settings = read_settings().model_copy(update={k: v for k, v in given.items() if v is not None})
    configure(settings.log_level, settings.log_json)
    raise typer.Exit(run(settings, web_only=web_only))


def worker(
    name: Annotated[str, typer.Option(help="Stable name; two of one name cannot run.")],
    queues: Annotated[str, typer.Option(help="Queues separated by commas: read, check, seal, notify.")] = "",
) -> None:
    """Run one worker process against the database and blobs of the settings."""
    from docproc.flow.worker import run_worker
    from docproc.log import configure

    settings = read_settings()
    configure(settings.log_level, settings.log_json)
    wanted = [q.strip() for q in (queues or settings.queues).split(",") if q.strip()]
    raise typer.Exit(run_worker(settings, name, wanted))


def migrate(as_json: Json = False) -> None:
    """Upgrade the database to the newest schema; running it again changes nothing.

    In PostgreSQL the roles docproc_web, docproc_reader, docproc_sealer and docproc_auditor get their rights, those of
    them that exist; DOCPROC_DATABASE_PASSWORDS makes them. Run this as the role that owns the tables.
    """
    from docproc.flow.jobs.engine import migrate_all
    from docproc.store.database_roles import parse_passwords
    from docproc.store.db import open_database

    settings = read_settings()
    passwords = parse_passwords(settings.database_passwords.get_secret_value())
    database = open_database(settings.database)
    done = migrate_all(database, passwords)
    database.close()
    if as_json:
        emit({"ok": True, "roles": asdict(done)})
        return
    out.print("the database is up to date")
    if not done.owner:
        out.print("this role does not own the tables: no rights were changed", style="yellow")
    if done.granted:
        out.print(f"rights were given to {', '.join(done.granted)}", highlight=False)
    if done.missing:
        told = (
            f"{', '.join(done.missing)} do not exist: their processes work as the owner; see DOCPROC_DATABASE_PASSWORDS"
        )
        out.print(told, style="yellow", highlight=False, soft_wrap=True)


def submit(
    files: Files,
    matter: MatterName,
    server: Annotated[str, typer.Option(help="Address of the service.")],
    key: Annotated[str, typer.Option(help="API key with the role kiosk or clerk.", envvar="DOCPROC_KEY")],
    as_json: Json = False,
) -> None:
    """Open an application on a server, upload the files and show the verdict; exit 1 unless it is pass."""
    from docproc.ops.client import Client

    with Client(server, key) as client:
        view = client.hand_in(matter, files)
    if as_json:
        emit(view)
    else:
        out.print(f"{view['number']}  {view['status']}  verdict: [bold]{view['verdict']}[/]")
        table = new_table("代码", "级别", "材料", "说明", "依据")
        for item in view["findings"]:
            level = f"{item['severity']}, look" if item["look"] else item["severity"]
            table.add_row(item["code"], level, item["material"] or "", item["message"], item["basis"])
        out.print(table)
    if view["verdict"] != "pass":
        raise typer.Exit(1)


def doctor(
    settings_only: Annotated[bool, typer.Option("--settings", help="Print the table of all settings.")] = False,
    deployment: Annotated[bool, typer.Option("--deployment", help="Look at the running deployment instead.")] = False,
    as_json: Json = False,
) -> None:
    """Check this machine, or the running deployment, and print a remedy for each problem; exit 1 if there is one."""
    from docproc.ops.checkup import checkup
    from docproc.ops.doctor import diagnose, healthy
    from docproc.ops.key_checks import check_first_secrets, check_process_keys, check_secret_keys
    from docproc.ops.sandbox_check import check_sandbox
    from docproc.settings import settings_table

    if settings_only:
        out.print(settings_table(), markup=False, highlight=False, soft_wrap=True)
        return
    settings = read_settings()
    if deployment:
        checks = checkup(settings)
    else:
        checks = diagnose(certs=settings.certs_dir, data=settings.data_dir, host=settings.host, port=settings.port)
        checks += [*check_process_keys(settings), *check_secret_keys(settings), *check_first_secrets(settings)]
        checks += check_sandbox(settings)
    if as_json:
        emit([{"name": c.name, "ok": c.ok, "needed": c.needed, "detail": c.detail, "remedy": c.remedy} for c in checks])
    else:
        table = new_table("", "check", "detail", "remedy")
        for item in checks:
            sign = "[green]good[/]" if item.ok else ("[red]missing[/]" if item.needed else "[yellow]optional[/]")
            table.add_row(sign, item.name, item.detail, item.remedy)
        out.print(table)
    if not healthy(checks):
        raise typer.Exit(1)


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("var/demo"),
    samples: Annotated[Path, typer.Option(help="Folder of sample applications.")] = Path("samples/scans"),
    as_json: Json = False,
) -> None:
    """Run sample scans through the real service to verdicts, decisions, sealed licences and their verification."""
    from docproc.ops.demo import run_demo, show

    os.environ.setdefault("DOCPROC_LOG_LEVEL", "ERROR")
    result = run_demo(samples, folder)
    if as_json:
        emit(result)
    else:
        show(result, out)
    if not result["ok"]:
        raise typer.Exit(1)
