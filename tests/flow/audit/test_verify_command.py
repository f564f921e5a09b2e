"""`docproc audit verify` holds the log against lines known from elsewhere; a log of the version before is taken up."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.prepare import prepare
from docproc.cli.main import app
from docproc.errors import AuditError, SetupError
from docproc.flow.audit.proof import prove
from docproc.flow.core.chain_guard import check_log
from docproc.flow.core.context import Context, open_context
from docproc.flow.licences.jobs import gather
from docproc.licence.devpki.pki import make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.keys.keys import load_pkcs12
from docproc.licence.seal.status_list import StatusList, make_status_list
from docproc.process_keys import NO_KEYS
from docproc.settings import Settings
from docproc.store.audit import audit, memory
from docproc.store.licences import licences
from tests.flow.core.test_chain_guard import add, cut


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    folder = tmp_path / "certs"
    make_dev_pki(folder, at=datetime.now(UTC))
    return folder


def run(ctx: Context, certs: Path, *words: str) -> dict[str, Any]:
    env = {
        "DOCPROC_DATA_DIR": str(ctx.settings.data_dir),
        "DOCPROC_CERTS_DIR": str(certs),
        "DOCPROC_TRUST_DIR": str(certs / "trust"),
    }
    done = CliRunner().invoke(app, ["audit", *words, "--json"], env=env)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.exit_code == (0 if found.get("ok", True) else 1)
    return found


def signed_list(content: StatusList, certs: Path) -> str:
    return make_status_list(content, load_pkcs12(certs / "seal-rsa.p12", DevPki(certs).passphrase))


def test_a_cut_end_is_found_by_a_kept_list_the_list_given_out_a_noted_line_and_the_sealers_memory(
    ctx: Context, certs: Path, tmp_path: Path
) -> None:
    for name in "abcd":
        add(ctx, "li", "did", name)
    here = replace(ctx, settings=ctx.settings.model_copy(update={"certs_dir": certs, "trust_dir": certs / "trust"}))
    told = gather(here, 1, datetime.now(UTC))
    kept = tmp_path / "kept.jws"
    kept.write_text(signed_list(told, certs))
    assert told.audit is not None
    noted = f"{told.audit.line}:{told.audit.sha256}"
    good = run(ctx, certs, "verify", "--known", noted, "--status-list", str(kept))
    assert good["ok"] and good["lines"] == good["signed"] == 4 and good["heads"] == 3
    cut(ctx, 2)
    memory.memory_file(ctx.settings.keys_folder, "web").unlink()
    assert run(ctx, certs, "verify")["ok"], "what is left fits by itself"
    end = "audit line 4: is gone: the log ends at line 2, its end was cut off or it is an older copy"
    assert run(ctx, certs, "verify", "--known", noted)["problems"] == [f"{end} (known from what was noted)"]
    by_list = run(ctx, certs, "verify", "--status-list", str(kept))
    assert by_list["problems"] == [f"{end} (known from status list {kept})"]
    with ctx.database.write() as session:
        licences.add_status_list(session, 1, datetime.now(UTC), kept.read_text())
    assert run(ctx, certs, "verify")["problems"] == [f"{end} (known from status list 1)"]
    memory.save(ctx.settings.keys_folder, "sealer", memory.Memory(chain_head(told)))
    found = run(ctx, certs, "verify")["problems"]
    assert f"{end} (known from what the sealer on this machine remembers)" in found
    done = run(ctx, certs, "accept-restore", "--reason", "tried out")
    assert (done["lost_line"], done["line"], done["still_listed"]) == (4, 3, [])


def chain_head(told: StatusList) -> Any:
    from docproc.store.audit.chain import Head

    assert told.audit is not None
    return Head(told.audit.line, told.audit.sha256, True)


def test_a_list_that_nobody_of_ours_signed_is_a_problem(ctx: Context, certs: Path, tmp_path: Path) -> None:
    add(ctx, "li", "did", "a")
    other = tmp_path / "other"
    make_dev_pki(other, at=datetime.now(UTC))
    here = replace(ctx, settings=ctx.settings.model_copy(update={"certs_dir": certs, "trust_dir": certs / "trust"}))
    forged = signed_list(gather(here, 1, datetime.now(UTC)), other)
    with ctx.database.write() as session:
        licences.add_status_list(session, 1, datetime.now(UTC), forged)
    assert "the status list that is given out" in run(ctx, certs, "verify")["problems"][0]


def test_a_log_of_the_version_before_is_taken_up_as_the_service_starts(ctx: Context, settings: Settings) -> None:
    """Its lines have no signature, and its sealer waits until the web process has taken them up."""
    old = replace(ctx, database=replace(ctx.database, keys=NO_KEYS, memory={}))
    for name in "abc":
        add(old, "li", "did", name)
    prepare(settings)
    sealer = open_context(settings, role="sealer")
    assert check_log(sealer).head.signed
    with sealer.database.read() as session:
        keyed = audit.lines(session, after=3)[0]
    assert (keyed.action, keyed.detail["line"]) == ("audit.keyed", 3)
    assert prove(sealer, None).signed == prove(sealer, None).lines - 3
    sealer.close()
    prepare(settings)
    cut(ctx, 3)
    with pytest.raises(AuditError, match="signed part"):
        prepare(settings)


def test_a_deployment_whose_web_process_has_no_key_does_not_start(ctx: Context, tmp_path: Path) -> None:
    without = ctx.settings.model_copy(update={"process_keys": str(tmp_path / "none")})
    with pytest.raises(SetupError, match="docproc process-key make web"):
        prepare(without)
