"""What the embedded service keeps is its owner's alone, whatever the umask; first secrets are in no log."""

from __future__ import annotations

import os
import sqlite3
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docproc.flow.accounts.first_secrets import make_first
from docproc.flow.core.context import Context, open_context
from docproc.flow.seals.memory import memory_of
from docproc.flow.upkeep.backup import back_up
from docproc.settings import Settings
from tests.api.group import checked, group, open_application, upload_all
from tests.flow.conftest import opened

PUBLIC = ("catalogue", "keys/*.pub", "log", "ready-*")
"""What anybody may read: matter files, public keys; the last two are the test's own."""


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_others(folder: Path) -> dict[str, str]:
    """Files that others could read if they came into the folder, with their modes."""
    public = {path for pattern in PUBLIC for path in folder.glob(pattern)}
    found = [path for path in folder.rglob("*") if path.is_file() and not public & {path, *path.parents}]
    return {str(path.relative_to(folder)): oct(mode(path)) for path in found if mode(path) & 0o077}


def test_a_service_under_the_widest_umask_keeps_all_to_itself_and_logs_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with umask(0), group(folder) as running:
        with running.client(running.new_key("kiosk-1", "kiosk")) as kiosk:
            number = open_application(kiosk)
            upload_all(kiosk, number)
            assert checked(kiosk, number)["checked"]
        assert {path.name for path in folder.glob("docproc.db*")} >= {"docproc.db", "docproc.db-wal", "docproc.db-shm"}
        assert not open_to_others(folder)
        assert mode(folder) == mode(folder / "blobs") == mode(folder / "keys") == 0o700
        made = tomllib.loads((folder / "keys" / "first-secrets.toml").read_text())
        assert set(made) == {"api_key", "user", "password", "totp_secret", "totp_uri"}
        log = (folder / "log").read_text()
        assert not [name for name in ("api_key", "password", "totp_secret") if made[name] in log]


def test_a_store_of_the_version_before_is_closed_as_it_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    settings = Settings(data_dir=folder, _env_file=None)
    memory = folder / "keys" / "sealed.db"
    with umask(0o022):
        for ctx in opened(settings):
            ctx.blobs.put(b"a page")
        with sqlite3.connect(memory) as file:
            file.execute("CREATE TABLE before (x)")
    file.close()
    wide = (folder, folder / "blobs"), (folder / "docproc.db", memory)
    for place, bits in zip(wide, (0o755, 0o644), strict=True):
        for path in place:
            path.chmod(bits)
    ctx = open_context(settings)
    memory_of(settings).note("a", ctx.clock())
    ctx.close()
    assert [mode(path) for path in wide[0]] == [0o700, 0o700]
    assert [mode(path) for path in wide[1]] == [0o600, 0o600]


def test_a_folder_that_is_not_ours_alone_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "of somebody else").touch()
    url = f"sqlite:///{shared / 'x.db'}"
    elsewhere = {"blobs": f"file:{tmp_path / 'blobs'}", "process_keys": str(tmp_path)}
    settings = Settings(data_dir=shared, database_url=url, _env_file=None, **elsewhere)
    for ctx in opened(settings):
        ctx.blobs.put(b"a page")
    assert mode(shared) == 0o755
    assert mode(shared / "x.db") == 0o600


def test_a_backup_is_its_owners_alone_even_in_a_folder_that_others_may_enter(ctx: Context, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    folder.mkdir(mode=0o755)
    ctx.blobs.put(b"a page")
    with umask(0):
        back_up(ctx, folder)
    assert mode(folder / "database.db") == 0o600


def test_first_secrets_are_written_before_they_count(ctx: Context) -> None:
    """Whoever finds an account on a fresh database finds its secrets too, also after a start that was cut short."""
    folder = ctx.settings.keys_folder
    blocked = folder / ".first-secrets.toml.half"
    blocked.mkdir()
    with pytest.raises(Exception, match="first secrets"):
        make_first(ctx)
    blocked.rmdir()
    made = make_first(ctx)
    assert made is not None and mode(made) == 0o600
    assert set(tomllib.loads(made.read_text())) >= {"api_key", "password"}
    assert make_first(ctx) is None and made.exists()
