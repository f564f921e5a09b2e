"""``docproc user`` and ``docproc key``: accounts of officials, and API keys made on the machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from docproc.cli.common import Json, emit, out
from docproc.settings import Settings

if TYPE_CHECKING:
    from docproc.flow.accounts.api_keys import CreatedKey

user_app = typer.Typer(help="Officials who sign in at the pages.", no_args_is_help=True)
key_app = typer.Typer(help="API keys that belong to whom they are for.", no_args_is_help=True)


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

    ctx = open_context(Settings())
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

    ctx = open_context(Settings())
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

    ctx = open_context(Settings())
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
