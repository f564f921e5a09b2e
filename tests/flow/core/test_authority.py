"""The test authority code never reaches a licence, a notice or a status list under a key that is no development key."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from docproc.errors import SetupError
from docproc.flow.applications.applications import view_application
from docproc.flow.core.authority import authority_code
from docproc.flow.core.context import Context
from docproc.flow.licences.jobs import gather
from docproc.flow.review.decisions import decide, release
from docproc.licence.devpki.pki import (
    AUTHORITY_CODE,
    BASE_URL,
    ROOT,
    SEAL,
    issue,
    make_dev_pki,
    new_p256,
    organisation,
    seal_subject,
    write_p12,
)
from docproc.licence.devpki.sm2_pki import SM2_SEAL, make_sm2_pki
from docproc.ops.checkup import checkup
from docproc.settings import Settings
from tests.flow.people import KIOSK, REVIEWER, SEALER, Workers, seen, submitted, until

NOW = datetime.now(UTC)
PASSPHRASE = "not the one of the development PKI"


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("development")
    make_dev_pki(folder, at=NOW)
    make_sm2_pki(folder, at=NOW)
    return folder


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and trust of an office of its own, under the names that the settings have by default."""
    folder = tmp_path_factory.mktemp("office")
    root = issue(None, organisation("另一根证书颁发机构（样例）"), ROOT, NOW, BASE_URL, new_p256())
    owner = seal_subject("另一机关（样例）", "11990099MB22222222")
    seal = issue(root, owner, SEAL, NOW, BASE_URL, new_p256())
    write_p12(folder / "seal-rsa.p12", seal, [root.certificate], PASSPHRASE.encode())
    (folder / "trust").mkdir()
    (folder / "trust" / "root.crt").write_bytes(root.certificate.public_bytes(Encoding.DER))
    return folder


def with_keys(folder: Path, **more: object) -> Settings:
    return Settings(_env_file=None, certs_dir=folder, trust_dir=folder / "trust", **more)


@pytest.mark.parametrize("key", ["seal-rsa.p12", "seal-p256.p12", "seal-joint.p12", f"{SM2_SEAL}.pem"])
def test_seals_of_the_development_pki_take_the_test_code(development: Path, key: str) -> None:
    assert authority_code(with_keys(development, seal_key=key)) == AUTHORITY_CODE


def test_a_process_without_the_key_goes_by_the_roots_that_it_trusts(
    development: Path, office: Path, tmp_path: Path
) -> None:
    alone = {"certs_dir": tmp_path, "_env_file": None}
    assert authority_code(Settings(trust_dir=development / "trust", **alone)) == AUTHORITY_CODE
    both = shutil.copytree(development / "trust", tmp_path / "both")
    shutil.copy(office / "trust" / "root.crt", both / "office.crt")
    (tmp_path / "empty").mkdir()
    for trust in (office / "trust", both, tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(SetupError, match="DOCPROC_AUTHORITY_CODE"):
            authority_code(Settings(trust_dir=trust, **alone))


def test_another_key_needs_the_setting(development: Path, office: Path, tmp_path: Path) -> None:
    beside = shutil.copytree(development, tmp_path / "beside")
    shutil.copy(office / "seal-rsa.p12", beside / "seal-office.p12")
    for settings in (
        with_keys(office, seal_passphrase=PASSPHRASE),
        with_keys(office),
        with_keys(beside, seal_key="seal-office.p12", seal_passphrase=PASSPHRASE),
        with_keys(beside, pkcs11_module="/usr/lib/softhsm/libsofthsm2.so"),
    ):
        with pytest.raises(SetupError, match="DOCPROC_AUTHORITY_CODE"):
            authority_code(settings)
        named = settings.model_copy(update={"authority_code": "11990099MB22222222"})
        assert authority_code(named) == "11990099MB22222222"


def test_nothing_is_numbered_or_listed_under_another_key(ctx: Context, office: Path) -> None:
    data = ctx.settings.data_dir
    env = {"DOCPROC_CERTS_DIR": str(office), "DOCPROC_TRUST_DIR": str(office / "trust")}
    places = {"DOCPROC_DATA_DIR": str(data), "DOCPROC_DATABASE_URL": ctx.settings.database_url}
    workers = Workers(ctx.settings, env={**places, **env, "DOCPROC_SEAL_PASSPHRASE": PASSPHRASE})
    try:
        workers.start("w1")
        approved, returned = submitted(ctx), submitted(ctx)
        here = replace(ctx, settings=with_keys(office, data_dir=data))
        with pytest.raises(SetupError, match="DOCPROC_AUTHORITY_CODE"):
            decide(here, REVIEWER, returned["number"], "return", seen(returned), reason="补正")
        assert view_application(ctx, KIOSK, returned["number"])["status"] == returned["status"]
        with pytest.raises(SetupError, match="DOCPROC_AUTHORITY_CODE"):
            gather(here, 1, NOW)
        found = {check.name: check for check in checkup(here.settings)}
        assert not found["authority"].ok and "DOCPROC_AUTHORITY_CODE" in found["authority"].remedy
        decided = decide(ctx, REVIEWER, approved["number"], "approve", seen(approved))
        release(ctx, SEALER, approved["number"], decided["version"])
        until(lambda: "DOCPROC_AUTHORITY_CODE is empty" in (data / "log-w1").read_text())
        assert view_application(ctx, KIOSK, approved["number"])["licence"] is None
    finally:
        workers.stop_all()
