"""``docproc process-key``: the keys with which the processes of a deployment sign what people do in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docproc.cli.common import Json, emit, out
from docproc.errors import ConflictError, InputError
from docproc.settings import Settings

if TYPE_CHECKING:
    from docproc.process_keys import KeyRole

process_key_app = typer.Typer(help="Keys with which processes sign what is done in them.", no_args_is_help=True)


@process_key_app.command("make")
def process_key_make(
    role: Annotated[str, typer.Argument(help="Whose key: web, sealer or reader.")],
    as_json: Json = False,
) -> None:
    """Make a role's key in DOCPROC_PROCESS_KEYS; give its public half, ID.pub, to all other processes."""
    from docproc.process_keys import make_key

    found = _role(role)
    folder = Settings().keys_folder
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

    folder = Settings().keys_folder
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

    old, new = rotate(Settings(), _role(role))
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
