"""The secrets of the first administrator, in a file that its owner alone can read: never in a log.

A log of a container goes to collectors and lives for months. The file lies beside the keys of the process; whoever
reads it deletes it, and ``docproc doctor`` names it for as long as it is there.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from docproc.errors import SetupError
from docproc.flow.accounts.api_keys import first_key
from docproc.flow.accounts.users import NewUser, first_user
from docproc.flow.core.context import Context
from docproc.private_file import private_folder, write_private
from docproc.settings import Settings

NAME = "first-secrets.toml"
_HEAD = "# The first administrator's secrets, shown nowhere else. Delete this file once you have them.\n"


def secrets_file(settings: Settings) -> Path:
    """Where the first secrets are, as long as nobody has deleted them."""
    return settings.keys_folder / NAME


def make_first(ctx: Context) -> Path | None:
    """Make the first administrator's key and account on a fresh database, and write them to the file; returns it.

    ``None`` when there are keys and accounts already. Cut short, it leaves nothing in the database that is not in the
    file.

    Raises:
        SetupError: the file cannot be written.
    """
    path = secrets_file(ctx.settings)
    told = _read(path)
    made = False

    def keep(**more: str) -> None:
        nonlocal made
        told.update(more)
        made = True
        _write(path, told)

    def keep_user(user: NewUser) -> None:
        keep(user=user.name, password=user.password, totp_secret=user.totp_secret, totp_uri=user.totp_uri)

    first_key(ctx, lambda key: keep(api_key=key))
    first_user(ctx, keep_user)
    return path if made else None


def _read(path: Path) -> dict[str, str]:
    """What a start that was cut short has written."""
    try:
        return {name: str(value) for name, value in tomllib.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError):
        return {}


def _write(path: Path, told: dict[str, str]) -> None:
    try:
        private_folder(path.parent)
        lines = (f"{name} = {json.dumps(value)}\n" for name, value in told.items())
        write_private(path, (_HEAD + "".join(lines)).encode())
    except OSError as error:
        raise SetupError(f"the first secrets cannot be written to {path}: {error.strerror}") from error
