"""``docproc process-key``: the keys with which the processes of a deployment sign what people do in them."""

from __future__ import annotations

from typing import Annotated

import typer

from docproc.cli.common import Json, emit, out
from docproc.errors import ConflictError, InputError
from docproc.settings import Settings

process_key_app = typer.Typer(help="Keys with which processes sign what is done in them.", no_args_is_help=True)


@process_key_app.command("make")
def process_key_make(
    role: Annotated[str, typer.Argument(help="Whose key: web, sealer or reader.")],
    as_json: Json = False,
) -> None:
    """Make a role's key in DOCPROC_PROCESS_KEYS; give its public half, ID.pub, to all other processes."""
    from docproc.process_keys import ROLES, make_key

    found = next((item for item in ROLES if item == role), None)
    if found is None:
        raise InputError(f"{role!r} is no role: use one of {', '.join(ROLES)}")
    folder = Settings().keys_folder
    try:
        key = make_key(folder, found)
    except FileExistsError as error:
        raise ConflictError(f"{folder / f'{role}.key'} is there already: nothing was changed") from error
    if as_json:
        emit({"id": key.id, "private": str(folder / f"{role}.key"), "public": str(folder / f"{key.id}.pub")})
    else:
        out.print(f"{key.id} is made: {folder}/{role}.key for the {role} process alone, {folder}/{key.id}.pub for all")
