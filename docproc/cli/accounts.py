"""``docproc user``: accounts of officials."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from docproc.cli.common import Json, emit, out
from docproc.settings import Settings

user_app = typer.Typer(help="Officials who sign in at the pages.", no_args_is_help=True)


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
