"""The doctor names a process key that is missing, open to others or not its own, and a log that is not whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from docproc.flow.core.context import Context, open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.ops.key_checks import check_process_keys, check_signed_log
from docproc.process_keys import deal_keys, ensure_key
from docproc.settings import Settings
from docproc.store.audit import memory
from docproc.store.audit.chain import Head
from docproc.store.db import open_database
from docproc.store.tables.audit import AuditRow
from tests.flow.core.test_chain_guard import add


def bad(settings: Settings) -> dict[str, str]:
    """Remedies of what is wrong, by check."""
    return {item.name: item.remedy for item in check_process_keys(settings) if not item.ok}


def deployed(folder: Path) -> Settings:
    return Settings(process_keys=str(folder), _env_file=None)


def test_on_one_machine_keys_are_made_by_the_service(tmp_path: Path) -> None:
    assert bad(Settings(data_dir=tmp_path, _env_file=None)) == {}


def test_a_deployment_without_a_key_is_told_how_to_make_one(tmp_path: Path) -> None:
    assert "process-key make" in bad(deployed(tmp_path))["process keys"]


def test_dealt_keys_are_good_for_each_role(tmp_path: Path) -> None:
    deal_keys(tmp_path)
    for role in ("web", "sealer", "reader"):
        assert bad(deployed(tmp_path / role)) == {}


def test_a_key_that_others_can_read_is_told(tmp_path: Path) -> None:
    deal_keys(tmp_path)
    (tmp_path / "web" / "web.key").chmod(0o640)
    assert bad(deployed(tmp_path / "web")) == {"process key web.key": f"chmod 600 {tmp_path / 'web' / 'web.key'}"}


def test_a_process_that_reads_the_keys_of_several_roles_is_told(tmp_path: Path) -> None:
    for role in ("web", "reader"):
        ensure_key(tmp_path, role)  # type: ignore[arg-type]
    found = bad(deployed(tmp_path))
    assert "process-key deal" in found["process keys apart"]
    assert "ID.pub" in found["process keys known"], "no sealer's key is known"


def test_a_damaged_public_key_is_told(tmp_path: Path) -> None:
    deal_keys(tmp_path)
    next((tmp_path / "web").glob("sealer-*.pub")).write_text("no key")
    assert "backup" in bad(deployed(tmp_path / "web"))["process keys"]


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    settings = Settings(data_dir=tmp_path, _env_file=None)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    opened = open_context(settings)
    yield opened
    opened.close()


def test_a_log_that_is_whole_broken_or_taken_back_is_told(ctx: Context) -> None:
    assert check_signed_log(ctx).ok
    for name in "abc":
        add(ctx, "li", "did", name)
    assert check_signed_log(ctx).detail == "lines 1 to 3 are whole"
    folder = ctx.keys.folder
    assert folder is not None
    memory.save(folder, "sealer", memory.Memory(Head(9, "a" * 64, True)))
    told = check_signed_log(ctx)
    assert "log ends at line 3" in told.detail and "accept-restore" in told.remedy
    memory.memory_file(folder, "sealer").unlink()
    with ctx.database.write() as session:
        session.execute(sa.update(AuditRow).where(AuditRow.seq == 2).values(actor="wang"))
    assert "line 2" in check_signed_log(ctx).detail
