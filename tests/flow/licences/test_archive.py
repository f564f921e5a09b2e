"""An archive package, exported by the service and checked by somebody who has nothing but the command line."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docproc.cli.main import app as cli
from docproc.flow.core.context import Context, utc_now
from docproc.flow.licences.renewal import renew_due
from docproc.licence.devpki.responder import DevPki
from docproc.licence.seal.renew import renew
from docproc.licence.verify.package import HASHES, SIGNED, STAMPED, verify_package
from docproc.store.applications import applications, pages
from docproc.store.wallet import shares
from tests.flow.sealed import LICENCE, NUMBER, register
from tests.servers.offline import docproc_alone

SCAN = b"\x89PNG sample of an original"


@pytest.fixture
def pki(tmp_path: Path) -> DevPki:
    from docproc.licence.devpki.pki import make_dev_pki

    make_dev_pki(tmp_path / "pki", at=utc_now())
    return DevPki(tmp_path / "pki")


@pytest.fixture
def package(ctx: Context, pki: DevPki, tmp_path: Path) -> Path:
    """The package of a licence with an original and a former file, whose archive time-stamp was renewed."""
    register(ctx, pki, replace(LICENCE, application=f"A-{NUMBER}"))
    with ctx.database.write() as session:
        row = applications.find_application(session, f"A-{NUMBER}", lock=True)
        pages.add_page(
            session,
            row,
            sha256=ctx.blobs.put(SCAN),
            size=len(SCAN),
            filename="样例.png",
            media_type="image/png",
            material="idcard",
            by="kiosk-1",
            at=utc_now(),
            place=1,
        )
        shares.add_follow_code(session, row.number)
    stamper, trust = pki.timestamper(ctx.clock), pki.seal_trust()
    renew_due(ctx, lambda pdf, at: renew(pdf, stamper, trust, at=at), margin_days=36_500)
    path = tmp_path / "package.zip"
    places = {"DATA_DIR": ctx.settings.data_dir, "CERTS_DIR": pki.folder, "TRUST_DIR": pki.folder / "trust"}
    environment = {f"DOCPROC_{name}": str(value) for name, value in places.items()}
    done = CliRunner().invoke(
        cli, ["archive", "export", NUMBER, "--out", str(path)], env=environment, catch_exceptions=False
    )
    assert done.exit_code == 0, done.exception
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def flipped(data: bytes) -> bytes:
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_package_verifies_alone_and_every_change_is_named(package: Path, pki: DevPki, tmp_path: Path) -> None:
    trust = pki.folder / "trust"
    alone = docproc_alone(tmp_path / "empty", "archive", "verify", package, "--trust", trust, "--json")
    assert alone.returncode == 0, alone.stdout + alone.stderr
    told = json.loads(alone.stdout)
    assert (told["ok"], told["number"], told["problems"]) == (True, NUMBER, [])
    assert (told["licence"]["indication"], told["licence"]["signatures"][0]["level"]) == ("TOTAL-PASSED", "B-LTA")
    assert list((tmp_path / "empty").iterdir()) == [], "checking leaves nothing behind"

    files = members(package)
    proof = {HASHES, SIGNED, STAMPED}
    originals = [name for name in files if name.startswith("originals/")]
    former = [name for name in files if name.startswith("former/")]
    assert [files[name] for name in originals] == [SCAN]
    assert len(former) == 1 and json.loads(files["decisions.json"])[0]["action"] == "approve"
    assert {"licence.pdf", "verification.pdf", "verification.xml", "application.json", "audit.json"} <= set(files)
    assert b"follow_code" not in files["application.json"], "what opens the case is not for the archive"
    assert told["files"] == len(files) - len(proof)

    known = pki.trust_list()

    def problems(changed: dict[str, bytes]) -> list[str]:
        report = verify_package(packed(changed), known, utc_now())
        assert not report.ok
        return list(report.problems)

    listed = sorted(set(files) - proof)
    damaged = files | {name: flipped(files[name]) for name in listed}
    assert {f"{name} was changed" for name in listed} <= set(problems(damaged))
    moved = {name: data for name, data in files.items() if name not in originals} | {"originals/9.png": SCAN}
    moved |= {"audit.json": files["decisions.json"], "decisions.json": files["audit.json"]}
    named = {f"{originals[0]} is missing", "originals/9.png was added", "audit.json was changed"}
    assert named | {"decisions.json was changed"} == set(problems(moved))
    for name in proof:
        assert any(name in item for item in problems(files | {name: flipped(files[name])})), name
        assert any(name in item for item in problems({key: files[key] for key in files if key != name})), name
