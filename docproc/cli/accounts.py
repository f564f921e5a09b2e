"""``docproc user``, ``docproc key`` and ``docproc secrets``: accounts, API keys, and the keys that lock secrets."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from docproc.cli.common import Json, emit, out, read_settings
from docproc.errors import ConflictError, InputError

if TYPE_CHECKING:
    from docproc.flow.accounts.api_keys import CreatedKey
    from docproc.secret_keys import Purpose

user_app = typer.Typer(help="Officials who sign in at the pages.", no_args_is_help=True)
key_app = typer.Typer(help="API keys that belong to whom they are for.", no_args_is_help=True)
secrets_app = typer.Typer(help="Keys that lock secrets in the database.", no_args_is_help=True)


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    role: Annotated[list[str], typer.Option(help="clerk, reviewer, approver, sealer, auditor or admin; repeat it.")],
    org: Annotated[str, typer.Option(help="Organisation whose applications they work on.")],
    title: Annotated[str, typer.Option(help="Name to show.")] = "",
    as_json: Json = False,
) -> None:
    """Add an official; password and one-time-code secret are shown this once."""
    from docproc.flow.accounts.users import add_user
    from docproc.flow.core.context import open_context

    ctx = open_context(read_settings())
    made = add_user(ctx, None, name, title, org, role)
    ctx.close()
    if as_json:
        emit(asdict(made))
    else:
        out.print(f"user {made.name}\npassword (to be changed at first sign-in) {made.password}", highlight=False)
        out.print(f"one-time-code secret {made.totp_secret}\n{made.totp_uri}", highlight=False, soft_wrap=True)


@key_app.command("add")
def key_add(
    subject: Annotated[str, typer.Argument(help="Person or machine that the key is for.")],
    role: Annotated[list[str], typer.Option(help="kiosk, clerk, reviewer, approver, sealer...; repeat it.")],
    org: Annotated[str, typer.Option(help="Organisation whose applications it may see.")],
    days: Annotated[int | None, typer.Option(help="How long it lives; without, DOCPROC_KEY_DAYS.")] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="From where it may be used, as 10.20.0.0/16; repeat it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and hand it to its subject alone: what is done with it counts as theirs, not as an administrator's."""
    from docproc.flow.accounts.api_keys import Limits, create_key
    from docproc.flow.core.context import open_context

    ctx = open_context(read_settings())
    made = create_key(ctx, None, subject, org, role, limits=Limits(days, network or ()))
    ctx.close()
    _tell(made, as_json)


@key_app.command("own")
def key_own(
    key_id: Annotated[str, typer.Argument(help="Id of the key: the twelve characters after `dp_`.")],
    as_json: Json = False,
) -> None:
    """Replace a key that an administrator made by one of its subject's own; the old one ends at once."""
    from docproc.flow.accounts.api_keys import take_over
    from docproc.flow.core.context import open_context

    ctx = open_context(read_settings())
    made = take_over(ctx, None, key_id)
    ctx.close()
    _tell(made, as_json)


def _tell(made: CreatedKey, as_json: bool) -> None:
    if as_json:
        emit(made)
    else:
        where = ", ".join(made["networks"]) or "anywhere"
        told = f"{made['subject']} {', '.join(made['roles'])}, until {made['expires_at']}, from {where}"
        out.print(f"{told}\n{made['key']}", highlight=False, soft_wrap=True)


@secrets_app.command("make")
def secrets_make(
    purpose: Annotated[str, typer.Argument(help="What they lock: accounts or webhooks; both when left out.")] = "",
    as_json: Json = False,
) -> None:
    """Make the files with the keys in DOCPROC_PROCESS_KEYS, once for a deployment.

    All web processes get a copy of both, readers one of webhooks.secret, the sealer none. Keep a copy apart from the
    backups of the database: without it nobody can sign in with a one-time code any more.
    """
    from docproc.secret_keys import PURPOSES, file_name, make_ring

    folder, made = read_settings().keys_folder, {}
    for each in [_purpose(purpose)] if purpose else PURPOSES:
        try:
            made[str(folder / file_name(each))] = make_ring(folder, each).id
        except FileExistsError as error:
            raise ConflictError(f"{folder / file_name(each)} is there already: nothing was changed") from error
    if as_json:
        emit(made)
        return
    for path, key_id in made.items():
        out.print(f"{path}: {key_id}", highlight=False, soft_wrap=True)


@secrets_app.command("list")
def secrets_list(as_json: Json = False) -> None:
    """List the keys and how many secrets each one locks; exit 1 if a secret is in clear or its key is not here."""
    from docproc.flow.core.context import open_context
    from docproc.flow.upkeep.locking import counts
    from docproc.secret_keys import PURPOSES

    ctx, rows = open_context(read_settings()), []
    for purpose in PURPOSES:
        here, found = [key.id for key in ctx.keys.secrets.ring(purpose)], counts(ctx, purpose)
        for key_id in [*here, *sorted(set(found) - set(here))]:
            state = "missing" if key_id not in here else "in use" if key_id == here[0] else "older"
            state = state if key_id else "in clear"
            rows.append({"purpose": purpose, "key": key_id, "state": state, "secrets": found.get(key_id, 0)})
    ctx.close()
    if as_json:
        emit(rows)
    else:
        for row in rows:
            told = f"{row['purpose']}  {row['key'] or '-'}  {row['state']}: {row['secrets']} secrets"
            out.print(told, highlight=False)
    if any(row["state"] in ("missing", "in clear") for row in rows):
        raise typer.Exit(1)


@secrets_app.command("rotate")
def secrets_rotate(
    purpose: Annotated[str, typer.Argument(help="What they lock: accounts or webhooks.")],
    forget: Annotated[
        bool, typer.Option("--forget", help="Take older keys out of the file; backups made before need them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a new key in use and lock all secrets with it, on a web process's machine; the service may run meanwhile.

    Where there are several machines, copy the file to the others at once: until then they cannot open what was locked
    anew. Cut short, run it again: it goes on where it was. Exit 1 if a secret could not be locked anew.
    """
    from docproc.flow.core.context import open_context
    from docproc.flow.upkeep.locking import rotate

    ctx = open_context(read_settings())
    done = rotate(ctx, _purpose(purpose), forget=forget)
    ctx.close()
    if as_json:
        emit(asdict(done))
    else:
        out.print(f"{done.rows} secrets are locked with {done.key}", highlight=False)
        for key_id in done.forgotten:
            out.print(f"{key_id} is forgotten", highlight=False)
        for reason in done.left:
            out.print(f"left as it is: {reason}", style="red", highlight=False, soft_wrap=True)
    if done.left:
        raise typer.Exit(1)


def _purpose(text: str) -> Purpose:
    from docproc.secret_keys import PURPOSES

    found = next((item for item in PURPOSES if item == text), None)
    if found is None:
        raise InputError(f"{text!r} is locked by no keys: use one of {', '.join(PURPOSES)}")
    return found
