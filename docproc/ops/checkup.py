"""Check a running deployment: versions, stuck work, clocks, certificates, disk, the log's time-stamps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from docproc.errors import DocprocError, InputError, SealError, SetupError
from docproc.flow.audit.proof import STAMPED
from docproc.flow.core.authority import authority_code
from docproc.flow.core.context import Context, open_context, utc_now
from docproc.flow.core.development import development_parts, reachable
from docproc.flow.jobs.lease import dead
from docproc.flow.seals.timestamps import stamp
from docproc.flow.seals.trust_list import overlaps
from docproc.licence.pki.timestamp_token import check_token
from docproc.licence.pki.trust import TrustList
from docproc.ops.doctor import Check, check_disk
from docproc.ops.key_checks import (
    check_access_log,
    check_api_keys,
    check_first_secrets,
    check_locked,
    check_process_keys,
    check_secret_keys,
    check_signed_log,
)
from docproc.ops.sandbox_check import check_sandbox
from docproc.settings import Settings
from docproc.store import database_roles
from docproc.store.audit import audit
from docproc.store.db import Database, open_database
from docproc.store.migrate import is_current
from docproc.store.upkeep import health

STUCK_AFTER = timedelta(minutes=10)
"""Age of a waiting file above which something is wrong or there are too few workers."""
SKEW_SECONDS = 2.0
"""Clocks further apart than this make time-stamps and retention doubtful."""
TSA_SKEW_SECONDS = 10.0
"""A token has whole seconds and the network takes time; sealing is deferred from a difference of five minutes."""
CERTIFICATE_DAYS = 30
STAMP_AGE = timedelta(hours=26)
"""The log is time-stamped once a day, by a worker that checks every hour."""


def checkup(settings: Settings) -> list[Check]:
    """Check the deployment named in the settings; nothing is changed."""
    try:
        ctx = open_context(settings)
    except DocprocError as error:
        stores = Check("stores", False, str(error), "start database and blob store, or mend the settings")
        return [stores, *_clock_alone(settings)]
    try:
        schema = _schema(ctx)
        looks = (*(_IN_TABLES if schema.ok else ()), *_BESIDE_TABLES)
        checks = [schema, *(_guarded(look, ctx) for look in looks)]
        return [
            *checks,
            *check_process_keys(settings),
            *check_secret_keys(settings),
            *check_first_secrets(settings),
            *check_sandbox(settings),
            *_development(settings),
            *_certificates(settings, ctx.clock()),
            check_disk(settings.data_dir),
        ]
    finally:
        ctx.close()


def _guarded(look: Callable[[Context], Check], ctx: Context) -> Check:
    try:
        return look(ctx)
    except DocprocError as error:
        return Check(look.__name__.strip("_"), False, str(error), "see the server's own log")


def _schema(ctx: Context) -> Check:
    current = is_current(ctx.database)
    return Check(
        "schema", current, "newest" if current else "not that of this program", "" if current else "docproc migrate"
    )


def _version(ctx: Context) -> Check:
    """Only workers of the newest registered version take new jobs: after a downgrade the queues stop."""
    mine, newest = ctx.settings.application_version, ctx.jobs.latest_version()
    ok = newest in (None, mine)
    remedy = f"run all workers with DOCPROC_APPLICATION_VERSION={newest}, or start one worker of a newer version"
    return Check("version", ok, f"here {mine}, newest {newest or 'none yet'}", "" if ok else remedy)


def _queue(ctx: Context) -> Check:
    with ctx.database.read() as session:
        waiting, oldest = health.waiting_files(session)
    age = ctx.clock() - oldest if oldest else timedelta()
    ok = age < STUCK_AFTER
    detail = f"{waiting} files wait, the oldest for {age.total_seconds():.0f} s"
    return Check("queue", ok, detail, "" if ok else "start more workers for the queue read, and see their logs")


def _jobs(ctx: Context) -> Check:
    """Jobs that people wait for; those of a batch may take longer."""
    stuck = [
        f"{part.queue}: {part.jobs}, the oldest for {part.age_seconds:.0f} s"
        for part in ctx.jobs.waiting()
        if part.lane == "person" and part.age_seconds > STUCK_AFTER.total_seconds()
    ]
    remedy = "start workers for these queues, and see their logs"
    return Check("jobs", not stuck, "; ".join(stuck) or "no queue stands still", remedy if stuck else "")


def _sealing(ctx: Context) -> Check:
    """Licences being sealed, also those whose sealing is deferred repeatedly."""
    with ctx.database.read() as session:
        waiting, oldest = health.waiting_seals(session)
    age = ctx.clock() - oldest if oldest else timedelta()
    ok = age < STUCK_AFTER
    remedy = "see the sealer's log: its key, the TSA, OCSP or CRL may be out of reach"
    return Check(
        "sealing", ok, f"{waiting} licences wait, the oldest for {age.total_seconds():.0f} s", "" if ok else remedy
    )


def _given_up(ctx: Context) -> Check:
    count = ctx.jobs.given_up()
    remedy = "see the logs for their ids; sealing is tried again by whoever releases the seal"
    return Check("given up", not count, f"{count} jobs ended without doing their work", remedy if count else "", False)


def _workers(ctx: Context) -> Check:
    with dead(ctx.database, ctx.jobs.busy_workers()) as names:
        ok = not names
        detail = "every job that runs has a living worker" if ok else f"dead with jobs: {', '.join(names)}"
    return Check("workers", ok, detail, "" if ok else "start a worker; it takes the jobs over within seconds")


def _roles(ctx: Context) -> Check:
    """Processes that share one role of the database can do in it all that any of them can."""
    name = "database roles"
    if ctx.database.is_sqlite:
        return Check(name, True, "one file, one user", needed=False)
    missing = [
        database_roles.server_name(r) for r in database_roles.ROLES if r not in database_roles.existing(ctx.database)
    ]
    used = database_roles.in_use(ctx.database)
    shared = sorted({user for users in used.values() for user in users if sum(user in u for u in used.values()) > 1})
    told = [f"{kind} works as {' and '.join(sorted(users))}" for kind, users in sorted(used.items())]
    remedy = "docproc migrate with DOCPROC_DATABASE_PASSWORDS, then give each process its own URL (docs/operate.md)"
    told += [f"{', '.join(missing)} do not exist"] if missing else []
    ok = not missing and not shared
    return Check(name, ok, "; ".join(told) or "no process runs", "" if ok else remedy, needed=False)


def _database_clock(ctx: Context) -> Check:
    return _clock_of(ctx.database)


def _clock_of(database: Database) -> Check:
    with database.read() as session:
        skew = health.clock_skew(session)
    return _clock("clock", skew, "the database's")


def _clock_alone(settings: Settings) -> list[Check]:
    """The clock when the stores cannot be opened: S3 refuses a wrong time as it does wrong keys."""
    try:
        database = open_database(settings.database)
        try:
            return [_clock_of(database)]
        finally:
            database.close()
    except DocprocError:
        return []


def _tsa_clock(ctx: Context) -> Check:
    """Sealing is deferred while the time-stamping service's clock differs; a token requested here shows its time."""
    digest = hashlib.sha256(b"docproc doctor").digest()
    try:
        token = stamp(ctx.settings, digest)
        told = check_token(token, digest, TrustList.from_folder(ctx.settings.trust_dir))
    except SetupError as error:
        return Check("clock of the TSA", True, f"not asked: {error}", needed=False)  # this machine is no sealer
    except (SealError, InputError) as error:
        return Check("clock of the TSA", False, str(error), "see to the service at DOCPROC_TSA_URL")
    return _clock("clock of the TSA", (utc_now() - told).total_seconds(), "the TSA's", TSA_SKEW_SECONDS)


def _clock(name: str, skew: float, whose: str, most: float = SKEW_SECONDS) -> Check:
    ok = abs(skew) < most
    return Check(name, ok, f"{skew:+.1f} s from {whose}", "" if ok else "run chrony or systemd-timesyncd on both")


def _blobs(ctx: Context) -> Check:
    ctx.blobs.exists("0" * 64)
    return Check("blobs", True, "the blob store answers")


def _stamps(ctx: Context) -> Check:
    """Since when the audit log has lines that no time-stamp covers."""
    with ctx.database.read() as session:
        stamped = audit.newest(session, STAMPED, "audit")
        uncovered = audit.lines(session, after=stamped.seq if stamped else 0, limit=1)
    detail = f"last time-stamped {stamped.at:%Y-%m-%d %H:%M}" if stamped else "never time-stamped"
    ok = not uncovered or ctx.clock() - uncovered[0].at < STAMP_AGE
    return Check("audit log", ok, detail, "" if ok else "docproc audit stamp, and see why the sealer does not")


def _authority(ctx: Context) -> Check:
    """Without a code nothing can be numbered, and no official can return an application."""
    try:
        return Check("authority", True, authority_code(ctx.settings))
    except SetupError as error:
        return Check("authority", False, str(error), "set DOCPROC_AUTHORITY_CODE for all processes")


def _recognised(ctx: Context) -> Check:
    """Roots that an older version recognised, or the trust folder names, although they vouch for one authority."""
    found = overlaps(ctx)
    remedy = "narrow or remove one of them at /office/trust or in trust.toml; until then the narrower one counts"
    return Check("recognised roots", not found, "; ".join(found) or "none covers another", remedy if found else "")


_IN_TABLES: tuple[Callable[[Context], Check], ...] = (
    _version,
    _queue,
    _jobs,
    _sealing,
    _given_up,
    _workers,
    check_signed_log,
    check_access_log,
    check_api_keys,
    check_locked,
    _stamps,
    _recognised,
    _roles,
)
"""Checks that need the tables of the newest schema."""
_BESIDE_TABLES: tuple[Callable[[Context], Check], ...] = (_database_clock, _tsa_clock, _blobs, _authority)


def _development(settings: Settings) -> Iterator[Check]:
    """What of the development PKI is in use; bad wherever others reach the service, allowed or not."""
    found = development_parts(settings)
    if not found:
        yield Check("development PKI", True, "nothing of it is used")
    for part in found:
        yield Check(f"development {part.name}", False, part.detail, part.remedy, bool(reachable(settings)))


def _certificates(settings: Settings, at: datetime) -> Iterator[Check]:
    """Every certificate in the folders of the settings, including those in PKCS#12 files whose passphrase is known."""
    for folder in dict.fromkeys((settings.certs_dir, settings.trust_dir)):
        for path in sorted(folder.glob("*")) if folder.is_dir() else []:
            for certificate in _read(path, settings):
                days = (certificate.not_valid_after_utc - at).days
                ok = days > CERTIFICATE_DAYS
                remedy = f"order a new certificate and put it in place of {path}"
                yield Check(f"certificate {path.name}", ok, f"ends in {days} days", "" if ok else remedy)


def _read(path: Path, settings: Settings) -> list[x509.Certificate]:
    try:
        if path.suffix == ".p12":
            secret = settings.seal_passphrase.get_secret_value().encode()
            secret = secret or (path.parent / "passphrase").read_bytes().strip()
            found = pkcs12.load_pkcs12(path.read_bytes(), secret).cert
            return [found.certificate] if found else []
        if path.suffix in (".crt", ".cer", ".pem"):
            data = path.read_bytes()
            return x509.load_pem_x509_certificates(data) if b"-----" in data else [x509.load_der_x509_certificate(data)]
    except (OSError, ValueError):
        pass  # a folder of the sealer that we may not read, or a file of another kind
    return []
