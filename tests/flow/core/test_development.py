"""The development PKI is refused where others reach the service."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.serve import serve
from docproc.errors import SetupError
from docproc.flow.core.context import Context, utc_now
from docproc.flow.core.development import development_parts, reachable, refuse_development
from docproc.flow.seals.sealer import open_renewer, open_sealer
from docproc.flow.seals.timestamps import stamp
from docproc.flow.worker import run_worker
from docproc.licence.devpki.pki import make_dev_pki
from docproc.ops.checkup import checkup
from docproc.ops.doctor import healthy
from docproc.settings import Settings

PUBLIC = "https://licences.example"
PARTS = ["key", "TSA", "passphrase", "root"]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dev-pki")
    make_dev_pki(folder, at=utc_now())
    return folder


def made(tmp_path: Path, pki: Path, **given: object) -> Settings:
    folders = {"data_dir": tmp_path / "data", "certs_dir": pki, "trust_dir": pki / "trust"}
    return Settings(_env_file=None, **{**folders, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({}, ""),
        ({"host": "::1", "public_url": "http://localhost:8000"}, ""),
        ({"host": "127.0.0.7"}, ""),
        ({"host": "0.0.0.0"}, "DOCPROC_HOST=0.0.0.0"),
        ({"host": "::"}, "DOCPROC_HOST=::"),
        ({"host": "licences.internal"}, "DOCPROC_HOST=licences.internal"),
        ({"public_url": PUBLIC}, f"DOCPROC_PUBLIC_URL={PUBLIC}"),
    ],
)
def test_others_reach_what_is_bound_or_named_beyond_this_machine(
    tmp_path: Path, pki: Path, given: dict[str, str], where: str
) -> None:
    settings = made(tmp_path, pki, **given)
    assert reachable(settings) == where
    if where:
        with pytest.raises(SetupError, match="DOCPROC_ALLOW_DEV_PKI=true"):
            refuse_development(settings)
    refuse_development(settings.model_copy(update={"allow_dev_pki": True}))


def test_service_worker_sealer_renewal_and_time_stamp_refuse(tmp_path: Path, pki: Path) -> None:
    settings = made(tmp_path, pki, public_url=PUBLIC)
    for start in (
        lambda: serve(settings),
        lambda: serve(settings, web_only=True),
        lambda: run_worker(settings, "w1", ["seal"]),
        lambda: open_sealer(settings),
        lambda: open_renewer(settings),
        lambda: stamp(settings, bytes(32)),
    ):
        with pytest.raises(SetupError, match="development") as refused:
            start()
        assert PUBLIC in str(refused.value) and "DOCPROC_ALLOW_DEV_PKI=true" in str(refused.value)
    assert not (tmp_path / "data").exists(), "nothing was begun"


def test_the_command_says_so_and_ends_with_2(tmp_path: Path, pki: Path) -> None:
    env = {"DOCPROC_DATA_DIR": str(tmp_path / "d"), "DOCPROC_CERTS_DIR": str(pki), "PATH": "/usr/bin:/bin"}
    env["DOCPROC_TRUST_DIR"] = str(pki / "trust")
    command = [sys.executable, "-m", "docproc.cli", "serve", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    told = " ".join(done.stderr.split())
    assert done.returncode == 2 and "DOCPROC_HOST=0.0.0.0" in told and "DOCPROC_TSA_URL" in told


def test_each_part_is_named_until_it_is_replaced(tmp_path: Path, pki: Path) -> None:
    certs = tmp_path / "certs"
    shutil.copytree(pki, certs)
    settings = made(tmp_path, certs, public_url=PUBLIC)
    assert [part.name for part in development_parts(settings)] == PARTS
    assert [part.name for part in development_parts(settings, sealing=False)] == ["root"]
    with_tsa = settings.model_copy(update={"tsa_url": "https://tsa.example"})
    assert [part.name for part in development_parts(with_tsa)] == ["key", "passphrase", "root"]
    token = with_tsa.model_copy(update={"pkcs11_module": "/usr/lib/token.so"})
    assert [part.name for part in development_parts(token)] == ["root"]
    for path in (certs / "trust").iterdir():
        path.unlink()
    assert development_parts(token) == []
    refuse_development(token)


def test_the_doctor_of_a_deployment_calls_each_of_them_bad(ctx: Context, pki: Path) -> None:
    there = {"certs_dir": pki, "trust_dir": pki / "trust", "public_url": PUBLIC, "allow_dev_pki": True}
    checks = {check.name: check for check in checkup(ctx.settings.model_copy(update=there))}
    for name in PARTS:
        found = checks[f"development {name}"]
        assert not found.ok and found.needed and found.remedy
    assert not healthy(list(checks.values()))
    at_home = checkup(ctx.settings.model_copy(update={**there, "public_url": "http://127.0.0.1:8000"}))
    assert [check.needed for check in at_home if check.name.startswith("development")] == [False] * 4
