"""Checks of the processes' own keys and of the audit log that they sign."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

from docproc.errors import SetupError
from docproc.flow.accounts.first_secrets import secrets_file
from docproc.flow.audit.heads import lost, remembered
from docproc.flow.core.context import Context
from docproc.flow.upkeep.locking import counts
from docproc.ops.doctor import Check
from docproc.process_keys import ROLES, KeyRole, find_key, known_keys
from docproc.secret_keys import HOLDERS, PURPOSES, file_name, read_ring
from docproc.settings import Settings
from docproc.store.accounts import api_keys
from docproc.store.audit import access_log, audit, chain
from docproc.store.audit.chain import START, Head

SOON = timedelta(days=30)
"""An API key that ends within so long is named."""
NAMED = 8
NEWEST = 500
"""Lines of the log that are looked at; `docproc audit verify` looks at all."""
UNCLOSED = timedelta(minutes=10)
"""Readings that wait longer to be closed show that no sealer runs."""
NEEDED: tuple[KeyRole, ...] = ("web", "sealer")
"""Roles whose lines every process must be able to check."""


def check_process_keys(settings: Settings) -> list[Check]:
    """The keys that this user can read: there, private, one role's, and the others' public halves beside them."""
    folder, alone = settings.keys_folder, settings.is_embedded and not settings.process_keys
    try:
        known = known_keys(folder)
        own = [role for role in ROLES if find_key(folder, role) is not None]
    except SetupError as error:
        return [Check("process keys", False, str(error), "restore the folder from its backup")]
    if not own:
        detail = "made when the service starts" if alone else f"no private key in {folder}"
        remedy = "" if alone else "docproc process-key make web (or sealer, reader), and set DOCPROC_PROCESS_KEYS"
        return [Check("process keys", alone, detail, remedy)]
    checks = [Check("process keys", True, f"{', '.join(own)} in {folder}; {len(known.keys)} public keys known")]
    checks += [_private(folder / f"{role}.key") for role in own]
    if not alone and len(own) > 1:
        detail = f"this user can read the keys of {', '.join(own)}"
        remedy = "give each role its own user and folder: `docproc process-key deal FOLDER`"
        checks.append(Check("process keys apart", False, detail, remedy))
    missing = [role for role in NEEDED if not known.of_role(role)]
    if missing:
        remedy = f"copy their ID.pub into {folder}"
        checks.append(Check("process keys known", False, f"no public key of {', '.join(missing)}", remedy))
    return checks


def check_secret_keys(settings: Settings) -> list[Check]:
    """The files with the keys that lock secrets: there beside a web process's key, whole, and private."""
    folder, alone = settings.keys_folder, settings.is_embedded and not settings.process_keys
    own = [role for role in ROLES if os.access(folder / f"{role}.key", os.R_OK)]
    checks: list[Check] = []
    for purpose in PURPOSES:
        path = folder / file_name(purpose)
        wanted, name = any(role in HOLDERS[purpose] for role in own), f"keys for secrets of {purpose}"
        if not path.exists():
            if wanted and not alone:
                remedy = f"docproc secrets make {purpose}, once, or copy {path.name} from the web process's folder"
                checks.append(Check(name, False, f"{path} is not there", remedy, "web" in own))
            continue
        try:
            keys = read_ring(folder, purpose)
        except SetupError as error:
            checks.append(Check(name, False, str(error), "restore the file from its backup"))
            continue
        if own and not wanted:
            remedy = f"take {path} away: {' and '.join(own)} works with none of these secrets"
            checks.append(Check(name, False, f"{', '.join(own)} can read them", remedy))
        mode = stat.S_IMODE(path.stat().st_mode)
        ok = mode & 0o077 == 0
        detail = f"{len(keys)} keys, mode {mode:o}; keep a copy apart from the backups of the database"
        checks.append(Check(name, ok, detail, "" if ok else f"chmod 600 {path}"))
    return checks


def check_locked(ctx: Context) -> Check:
    """Whether every secret in the database is locked with a key that is here."""
    problems = []
    for purpose in PURPOSES:
        try:
            here = {key.id for key in ctx.keys.secrets.ring(purpose)}
        except SetupError:
            continue  # named by check_secret_keys, or not this process's affair
        for key_id, count in sorted(counts(ctx, purpose).items()):
            if key_id not in here:
                problems.append(f"{count} of {purpose} {f'under the key {key_id}' if key_id else 'in clear'}")
    remedy = "start the web process, which locks them; bring a key that is missing: `docproc secrets list`"
    return Check("secrets locked", not problems, "; ".join(problems) or "all of them", remedy if problems else "")


def check_first_secrets(settings: Settings) -> list[Check]:
    """The first administrator's secrets must not lie about for longer than it takes to read them."""
    path = secrets_file(settings)
    if not path.exists():
        return []
    return [Check("first secrets", False, f"{path} is still there", "keep what it says safe, then delete it", False)]


def check_api_keys(ctx: Context) -> Check:
    """API keys that never end, since they were made before keys had an end, and those that end soon."""
    with ctx.database.read() as session:
        live = [row for row in api_keys.list_keys(session) if row.revoked_at is None]
    endless = [f"{row.id} ({row.subject})" for row in live if row.expires_at is None]
    now = ctx.clock()
    ending = [
        f"{row.id} ({row.subject}) on {row.expires_at:%Y-%m-%d}"
        for row in live
        if row.expires_at is not None and now < row.expires_at < now + SOON
    ]
    if not endless and not ending:
        return Check("API keys", True, f"{len(live)} in use, each with its end", needed=False)
    told = [f"without an end: {_some(endless)}"] if endless else []
    told += [f"ending soon: {_some(ending)}"] if ending else []
    remedy = "make new ones (`docproc key add`, `POST /v1/keys`) and revoke these"
    return Check("API keys", False, "; ".join(told), remedy, needed=False)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def check_access_log(ctx: Context) -> Check:
    """Readings are closed into batches within a minute where a sealer runs."""
    with ctx.database.read() as session:
        oldest = access_log.oldest_open(session)
    age = ctx.clock() - oldest.at if oldest is not None else timedelta(0)
    ok = age < UNCLOSED
    detail = f"the oldest reading that is not closed is {age.total_seconds():.0f} s old" if age else "all are closed"
    return Check("access log", ok, detail, "" if ok else "start a worker with the queue `seal`", needed=False)


def check_signed_log(ctx: Context) -> Check:
    """The newest lines of the audit log, and those that processes of this machine remember."""
    with ctx.database.read() as session:
        last = audit.last(session)
        if last is None:
            return Check("audit log signed", True, "no lines yet")
        if not last.signature:
            return Check("audit log signed", False, "not signed yet", "start the web process of this version")
        first = max(0, last.seq - NEWEST)
        before = audit.hash_of(session, first)
        start = Head(first, before) if before is not None else START
        problems = chain.walk(session, ctx.keys.known, start).problems
        problems += [found for item in remembered(ctx) if (found := lost(session, item)) is not None]
    if problems:
        remedy = "docproc audit verify; after a restore that was meant: docproc audit accept-restore"
        return Check("audit log signed", False, problems[0], remedy)
    return Check("audit log signed", True, f"lines {start.line + 1} to {last.seq} are whole")


def _private(path: Path) -> Check:
    mode = stat.S_IMODE(path.stat().st_mode)
    ok = mode & 0o077 == 0
    return Check(f"process key {path.name}", ok, f"mode {mode:o}", "" if ok else f"chmod 600 {path}")
