"""The command line trusts whom the service trusts: recognised roots count, unless a folder is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from docproc.cli.main import app as cli
from docproc.errors import ConflictError
from docproc.flow.core.context import Context, utc_now
from docproc.flow.licences.verification import StoredRegister, verify_file
from docproc.flow.seals.trust_list import NewRoot, confirm_change, overlaps, propose_root
from docproc.licence.devpki.pki import AUTHORITY_CODE, make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.report.conclude import conclude
from docproc.licence.report.report import Examination, SignatureReport
from docproc.ops.checkup import _recognised
from tests.flow.people import APPROVER, SEALER
from tests.flow.sealed import LICENCE, sealed

NEIGHBOUR, CODE = "邻省样例局（样例）", "11340000MB00000000"


def test_a_root_in_the_database_counts_on_the_command_line(ctx: Context, tmp_path: Path) -> None:
    make_dev_pki(tmp_path / "own", at=utc_now())
    make_dev_pki(tmp_path / "theirs", at=utc_now(), authority=NEIGHBOUR, authority_code=CODE)
    trust = tmp_path / "own" / "trust"
    chain = b"".join((tmp_path / "theirs" / "trust" / f"{name}.crt").read_bytes() for name in ("root", "ca"))
    ctx = replace(ctx, settings=ctx.settings.model_copy(update={"trust_dir": trust}))
    new = NewRoot(chain, "邻省政务服务局（样例）", (CODE[:6],), ("seal", "timestamp"))
    file = tmp_path / "theirs.pdf"
    file.write_bytes(sealed(DevPki(tmp_path / "theirs"), replace(LICENCE, authority=NEIGHBOUR, authority_code=CODE)))

    def told(data_dir: Path, *options: str) -> tuple[int, Any]:
        environment = {"DOCPROC_DATA_DIR": str(data_dir), "DOCPROC_TRUST_DIR": str(trust)}
        done = CliRunner().invoke(cli, ["verify", str(file), "--json", *options], env=environment)
        return done.exit_code, json.loads(done.stdout)

    assert told(ctx.settings.data_dir)[1]["sub_indication"] == "NO_CERTIFICATE_CHAIN_FOUND"
    confirm_change(ctx, SEALER, propose_root(ctx, APPROVER, new, "省内互认协议")["id"])
    status, verdict = told(ctx.settings.data_dir)
    assert (status, verdict["indication"]) == (0, "TOTAL-PASSED")
    assert verdict["signatures"][0]["recognised"] == new.name
    assert told(ctx.settings.data_dir, "--trust", str(trust))[0] == 1, "a folder that is named is all that counts"
    assert told(tmp_path / "no-database")[0] == 1 and not (tmp_path / "no-database").exists()


def neighbours(ctx: Context, tmp_path: Path, *codes: str, place: str = "theirs") -> tuple[Context, NewRoot]:
    """A service with a trust folder of its own, and the root of another department for the given codes."""
    if not (tmp_path / "own").exists():
        make_dev_pki(tmp_path / "own", at=utc_now())
    if not (tmp_path / place).exists():
        make_dev_pki(tmp_path / place, at=utc_now(), authority=NEIGHBOUR, authority_code=CODE)
    settings = {"trust_dir": tmp_path / "own" / "trust", "certs_dir": tmp_path / "own"}
    chain = b"".join((tmp_path / place / "trust" / f"{name}.crt").read_bytes() for name in ("root", "ca"))
    there = replace(ctx, settings=ctx.settings.model_copy(update=settings))
    return there, NewRoot(chain, f"邻省（样例）{place}", codes, ("seal", "timestamp"))


@pytest.mark.parametrize("code", [AUTHORITY_CODE, AUTHORITY_CODE[:6], "1"])
def test_no_root_is_recognised_for_our_own_authority(ctx: Context, tmp_path: Path, code: str) -> None:
    ctx, new = neighbours(ctx, tmp_path, CODE[:6], code)
    with pytest.raises(ConflictError) as refused:
        propose_root(ctx, APPROVER, new, "互认")
    assert refused.value.code == "covers_own_authority"


@pytest.mark.parametrize(("first", "second"), [("1134", "113401"), ("113401", "1134"), ("1134", "1134")])
def test_no_two_roots_are_recognised_for_one_authority(ctx: Context, tmp_path: Path, first: str, second: str) -> None:
    ctx, one = neighbours(ctx, tmp_path, first)
    ctx, two = neighbours(ctx, tmp_path, "1177", second, place="others")
    waiting = propose_root(ctx, APPROVER, two, "互认")
    confirm_change(ctx, SEALER, propose_root(ctx, APPROVER, one, "互认")["id"])
    with pytest.raises(ConflictError) as refused:  # what was fine when it was proposed is not any more
        confirm_change(ctx, SEALER, waiting["id"])
    assert refused.value.code == "covers_each_other" and one.name in str(refused.value)
    confirm_change(ctx, SEALER, waiting["id"], refuse=True)
    with pytest.raises(ConflictError):
        propose_root(ctx, APPROVER, two, "互认")
    change = propose_root(ctx, APPROVER, replace(one, authorities=("1135",)), "改小")  # its own limits may change
    assert confirm_change(ctx, SEALER, change["id"])["state"] == "confirmed"
    assert propose_root(ctx, APPROVER, two, "互认")["state"] == "open"


def test_a_root_that_an_older_version_recognised_for_us_makes_no_licence_of_ours(ctx: Context, tmp_path: Path) -> None:
    """They seal under our name and code: their root stood there before it was refused."""
    make_dev_pki(tmp_path / "theirs", at=utc_now())
    ctx, new = neighbours(ctx, tmp_path, CODE[:6], AUTHORITY_CODE[:4])
    elsewhere = replace(ctx, settings=ctx.settings.model_copy(update={"authority_code": "91990000MA00000000"}))
    confirm_change(elsewhere, SEALER, propose_root(elsewhere, APPROVER, new, "互认")["id"])
    forger = DevPki(tmp_path / "theirs")
    named = f"{new.name} covers our own authority"
    assert overlaps(ctx) == [named]
    found = _recognised(ctx)
    assert not found.ok and named in found.detail and found.remedy
    forged = sealed(forger, LICENCE)
    report = verify_file(ctx, forged)
    assert not report["ok"] and report["issued"] == "unknown"
    assert report["signatures"][0]["sub_indication"] == "SIG_CONSTRAINTS_FAILURE"


def test_the_register_is_asked_about_our_own_authority_whoever_signed(ctx: Context, tmp_path: Path) -> None:
    """Without our code in the settings nothing is reserved for us, and a file of our number must still be known."""
    ctx, new = neighbours(ctx, tmp_path, CODE[:6])
    confirm_change(ctx, SEALER, propose_root(ctx, APPROVER, new, "互认")["id"])
    joint = replace(LICENCE, authority=NEIGHBOUR, authority_code=CODE, joint=(("本机关（样例）", AUTHORITY_CODE),))
    examined = Examination("TOTAL-PASSED", None, "intact", (_recognised_seal(new.name),), joint)
    report = conclude(examined, "0" * 64, StoredRegister(ctx), ctx.clock(), own=AUTHORITY_CODE)
    assert (report.ok, report.checked_with, report.issued) == (False, "register", "unknown")
    alone = replace(examined, licence=replace(joint, joint=()))
    assert conclude(alone, "0" * 64, StoredRegister(ctx), ctx.clock(), own=AUTHORITY_CODE).ok


def _recognised_seal(name: str) -> SignatureReport:
    return SignatureReport("样例", "B-LTA", None, "ENTIRE_FILE", name, indication="TOTAL-PASSED")
