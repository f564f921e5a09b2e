"""``docproc audit``: check and time-stamp the audit log; ``docproc process-key``: the keys that sign it."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docproc.cli.common import Json, emit, out, read_settings
from docproc.errors import ConflictError, InputError

if TYPE_CHECKING:
    from docproc.process_keys import KeyRole

process_key_app = typer.Typer(help="Keys with which processes sign what is done in them.", no_args_is_help=True)
audit_app = typer.Typer(help="The audit log and the proof that nothing is missing or changed.", no_args_is_help=True)


@audit_app.command("verify")
def audit_verify(
    trust: Annotated[Path | None, typer.Option(help="Folder of trusted certificates for the time-stamps.")] = None,
    head: Annotated[
        str | None, typer.Option("--head", "--known", help="LINE:HASH noted earlier, for example from a backup.")
    ] = None,
    status_list: Annotated[
        list[Path] | None,
        typer.Option("--status-list", help="Signed status list that was kept; may be given again.", exists=True),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the log's chain and signatures, lines known from elsewhere, rows, blobs, approvals; exit 1 if not whole."""
    from docproc.flow.audit import heads
    from docproc.flow.audit.proof import prove
    from docproc.flow.core.context import open_context
    from docproc.licence.pki.trust import TrustList

    settings = read_settings()
    ctx = open_context(settings)
    trusted = TrustList.from_folder(trust or settings.trust_dir)
    lists = [heads.from_list(path.read_text(), f"status list {path}", trusted) for path in status_list or ()]
    noted = [*heads.remembered(ctx), *(item for item in lists if item is not None)]
    proof = prove(ctx, trusted, known=_line(head), noted=noted)
    ctx.close()
    if as_json:
        emit({"ok": proof.ok, **asdict(proof)})
    else:
        out.print("nothing is missing or changed" if proof.ok else f"{len(proof.problems)} problems", highlight=False)
        for name, value in asdict(proof).items():
            if name != "problems":
                out.print(f"  {name}: {value}", highlight=False)
        for problem in proof.problems:
            out.print(f"  {problem}", style="red", highlight=False, soft_wrap=True)
    if not proof.ok:
        raise typer.Exit(1)


@audit_app.command("stamp")
def audit_stamp(as_json: Json = False) -> None:
    """Time-stamp the newest line of the log unless that was done in the last day; a sealer does so automatically."""
    from docproc.flow.audit.proof import stamp_head
    from docproc.flow.core.context import open_context
    from docproc.flow.seals.timestamps import stamp

    settings = read_settings()
    ctx = open_context(settings)
    done = stamp_head(ctx, partial(stamp, settings))
    ctx.close()
    if as_json:
        emit({"stamped": done})
    else:
        out.print("time-stamped" if done else "nothing to time-stamp")


@audit_app.command("accept-restore")
def audit_accept_restore(
    reason: Annotated[str, typer.Option(help="Why an older copy of the database was restored; it is kept in the log.")],
    as_json: Json = False,
) -> None:
    """Have this machine's sealer go on after an older copy was restored on purpose; stop the other processes first."""
    from docproc.flow.audit.restored import accept_restore
    from docproc.flow.core.context import open_context

    ctx = open_context(read_settings(), role="sealer")
    try:
        done = accept_restore(ctx, reason)
    finally:
        ctx.close()
    if as_json:
        emit(asdict(done))
        return
    out.print(f"line {done.lost_line} is given up; the log goes on from line {done.line}", highlight=False)
    for number in done.still_listed:
        told = f"  licence {number} stays on the status list: its withdrawal was lost, withdraw it again"
        out.print(told, style="yellow", highlight=False, soft_wrap=True)


@process_key_app.command("make")
def process_key_make(
    role: Annotated[str, typer.Argument(help="Whose key: web, sealer or reader.")],
    as_json: Json = False,
) -> None:
    """Make a role's key in DOCPROC_PROCESS_KEYS; give its public half, ID.pub, to all other processes."""
    from docproc.process_keys import make_key

    found = _role(role)
    folder = read_settings().keys_folder
    try:
        key = make_key(folder, found)
    except FileExistsError as error:
        raise ConflictError(f"{folder / f'{role}.key'} is there already: nothing was changed") from error
    if as_json:
        emit({"id": key.id, "private": str(folder / f"{role}.key"), "public": str(folder / f"{key.id}.pub")})
    else:
        out.print(f"{key.id} is made: {folder}/{role}.key for the {role} process alone, {folder}/{key.id}.pub for all")


@process_key_app.command("deal")
def process_key_deal(
    folder: Annotated[Path, typer.Argument(help="Gets a folder for each role: web, sealer, reader.")],
    as_json: Json = False,
) -> None:
    """Make a folder for each role with its own key and the public halves of all; what is there stays."""
    from docproc.process_keys import deal_keys

    made = deal_keys(folder)
    if as_json:
        emit([{"role": key.role, "id": key.id, "folder": str(folder / key.role)} for key in made])
        return
    for key in made:
        out.print(f"{folder / key.role}: {key.id}", highlight=False, soft_wrap=True)


@process_key_app.command("list")
def process_key_list(as_json: Json = False) -> None:
    """List the keys in DOCPROC_PROCESS_KEYS: those that are known, and which of them sign here."""
    from docproc.process_keys import ROLES, find_key, known_keys, role_of

    folder = read_settings().keys_folder
    own = {key.id for role in ROLES if (key := find_key(folder, role)) is not None}
    rows = [{"id": name, "role": role_of(name), "signs_here": name in own} for name in sorted(known_keys(folder).keys)]
    if as_json:
        emit(rows)
        return
    for row in rows:
        out.print(f"{row['id']}  {'signs here' if row['signs_here'] else 'known'}", highlight=False)
    if not rows:
        out.print(f"no keys in {folder}: `docproc process-key make web`", highlight=False)


@process_key_app.command("rotate")
def process_key_rotate(
    role: Annotated[str, typer.Argument(help="Whose key: web, sealer or reader.")],
    as_json: Json = False,
) -> None:
    """Replace a role's key while the service runs; what the old one signed stays good, for its public half stays known.

    Give the new ID.pub to all other processes and restart them, then the processes of this role: until then they sign
    with the old key.
    """
    from docproc.flow.audit.key_change import rotate

    old, new = rotate(read_settings(), _role(role))
    if as_json:
        emit({"old": old, "new": new})
    else:
        told = f"{new} takes the place of {old}: give {new}.pub to all other processes and restart them, then this one"
        out.print(told, highlight=False, soft_wrap=True)


def _role(text: str) -> KeyRole:
    from docproc.process_keys import ROLES

    found = next((item for item in ROLES if item == text), None)
    if found is None:
        raise InputError(f"{text!r} is no role: use one of {', '.join(ROLES)}")
    return found


def _line(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise InputError(f"{text!r} is no line of the log: write LINE:HASH as `docproc backup` prints it")
    return int(number), digest
