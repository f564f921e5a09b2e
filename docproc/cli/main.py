"""The command line: each command takes ``--json``; exit 0 success, 1 a negative answer, 2 wrong usage or failure."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from docproc import __version__
from docproc.cli import (
    accounts,
    audit,
    bench,
    licences,
    matters,
    models,
    reading,
    seal_objects,
    seals,
    service,
    upkeep,
    verify,
)
from docproc.cli.common import err, out
from docproc.errors import DocprocError

app = typer.Typer(
    help="Scans in, sealed and verifiable licences out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help cost as much time as all else that it takes
)
for command in (
    service.demo,
    reading.form,
    reading.read,
    reading.check,
    service.submit,
    verify.verify,
    licences.renew,
    service.serve,
    service.worker,
    service.migrate,
    service.doctor,
    upkeep.ingest,
    upkeep.backup,
    upkeep.restore,
):
    app.command()(command)
app.add_typer(models.models_app, name="models")
app.add_typer(matters.matter_app, name="matter")
seal_objects.add_to(seals.seal_app)
app.add_typer(seals.seal_app, name="seal")
app.add_typer(licences.archive_app, name="archive")
app.add_typer(bench.bench_app, name="bench")
app.add_typer(accounts.user_app, name="user")
app.add_typer(accounts.key_app, name="key")
app.add_typer(accounts.secrets_app, name="secrets")
app.add_typer(audit.audit_app, name="audit")
app.add_typer(audit.process_key_app, name="process-key")
app.add_typer(upkeep.retention_app, name="retention")


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Scans in, sealed and verifiable licences out."""
    if version:
        out.print(__version__)
        raise typer.Exit


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
