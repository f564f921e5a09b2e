"""Replacing the key of a role: the old key signs a line about the new one, so that the log tells the change."""

from __future__ import annotations

from docproc.domain import SYSTEM
from docproc.errors import SetupError
from docproc.flow.core.context import open_context
from docproc.process_keys import KeyRole, rotate_key
from docproc.settings import Settings
from docproc.store.audit import audit

ROTATED = "process_key.rotated"


def rotate(settings: Settings, role: KeyRole) -> tuple[str, str]:
    """Replace a role's key; returns the ids of the old and the new one.

    The line is written by the old key once the new one is there: who is cut short in between runs it again.

    Raises:
        SetupError: this machine has no key of the role.
        UnavailableError: the database is out of reach.
    """
    ctx = open_context(settings, look=False, role=role)
    try:
        old = ctx.keys.own
        if old is None:
            raise SetupError(f"{settings.keys_folder} has no {role} key to replace: `docproc process-key make {role}`")
        with ctx.database.write() as session:
            new = rotate_key(settings.keys_folder, role)
            audit.append(session, ctx.clock(), SYSTEM, ROTATED, role, old=old.id, new=new.id)
        return old.id, new.id
    finally:
        ctx.close()
