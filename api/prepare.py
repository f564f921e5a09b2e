"""What must stand before the processes of a service start: the schema, keys, the first administrator."""

from __future__ import annotations

from docproc.flow.accounts.first_secrets import make_first
from docproc.flow.core.context import open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.flow.upkeep.adoption import adopt
from docproc.flow.upkeep.locking import check_secret_keys, lock_all
from docproc.process_keys import load_key
from docproc.settings import Settings
from docproc.store.audit.writing import begin_signing
from docproc.store.db import open_database


def prepare(settings: Settings) -> None:
    """Migrate the database; on a fresh one make the first administrator, whose secrets go to a private file.

    What the version before wrote is taken up and signed, once, and its log is signed from here on; secrets that it left
    in clear are locked.

    Raises:
        SetupError: the web process has no key, or none for secrets.
        AuditError: the audit log lost its signed part.
    """
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    ctx = open_context(settings)
    if ctx.keys.own is None:
        load_key(settings.keys_folder, "web")  # says what is missing, and what to do
    check_secret_keys(ctx)
    adopt(ctx)
    lock_all(ctx)
    with ctx.database.write() as session:
        begin_signing(session, ctx.clock())
    made = make_first(ctx)
    ctx.close()
    if made is not None:
        print(f"first administrator's secrets: {made}", flush=True)
