"""The command line trusts whom the service trusts: recognised roots count, unless a folder is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from docproc.cli.main import app as cli
from docproc.flow.core.context import Context, utc_now
from docproc.flow.seals.trust_list import NewRoot, confirm_change, propose_root
from docproc.licence.devpki.pki import make_dev_pki
from docproc.licence.devpki.responder import DevPki
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
