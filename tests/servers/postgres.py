"""A private PostgreSQL cluster on loopback."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.servers.processes import HERE, Host, Server, find_program, free_port, running

COMMAND = "scripts/servers postgres"
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
"""Debian keeps the server's programs outside PATH; newest first."""


@contextmanager
def cluster() -> Iterator[str]:
    """Make an empty cluster, run it, and give the SQLAlchemy URL of its database ``docproc``."""
    with restartable_cluster() as (url, _):
        yield url


@contextmanager
def restartable_cluster(
    disk: Path | None = None, host: Host = HERE, *, durable: bool = False, password: str = "", port: int = 0
) -> Iterator[tuple[str, Server]]:
    """The URL of :func:`cluster` together with the server, which the test may stop and start.

    ``disk`` is where its data goes, by default the folder for temporary files. A ``durable`` one waits for its disk, as
    in production: for measurements. ``password`` and ``port`` are drawn where none is given. PostgreSQL refuses to run
    as root, so root hands the folder and the process to the account ``postgres``.
    """
    initdb = find_program("initdb", COMMAND, *DEBIAN)
    folder = Path(tempfile.mkdtemp(prefix="docproc-pg-", dir=disk))
    try:
        user = _owner(folder)
        password = password or secrets.token_hex(16)
        _make(initdb, folder, password, user)
        port = port or free_port()
        address = f"docproc:{password}@{host.address}:{port}"
        server: list[str | Path] = [initdb.with_name("postgres"), "-D", folder / "data", "-p", str(port), "-k", folder]
        options = ["-c", f"listen_addresses={','.join({host.address, HERE.address})}"]
        if not durable:  # the data lives as long as the test run: it survives a kill of the server, but no power cut
            options += ["-c", "fsync=off"]
        with (folder / "data" / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {host.address}/24 scram-sha-256\n")
        login = f"postgresql://{address}/postgres"
        command = [*server, *options]
        with running(command, lambda: _answers(login), folder / "log", user=user, host=host) as process:
            with psycopg.connect(login, autocommit=True) as connection:
                connection.execute("CREATE DATABASE docproc")
            yield f"postgresql+psycopg://{address}/docproc", process
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _owner(folder: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return account.pw_name


def _make(initdb: Path, folder: Path, password: str, user: str | None) -> None:
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    if user:
        shutil.chown(secret, user)
    command: list[str | Path] = [
        initdb,
        "-D",
        folder / "data",
        "-U",
        "docproc",
        f"--pwfile={secret}",
        "-A",
        "scram-sha-256",
    ]
    options = ["-E", "UTF8", "--locale=C", "--no-sync"]
    everything = [*command, *options]
    extra: list[str] | None = [] if user else None
    subprocess.run(everything, check=True, capture_output=True, cwd=folder, user=user, group=user, extra_groups=extra)
    secret.unlink()


def _answers(login: str) -> bool:
    try:
        psycopg.connect(login, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
