"""Seal keys in files: once a licence is sealed the sealer's memory has them, no other process, no log, no answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from docproc.licence.pki import JOINT_SEAL, make_dev_pki
from docproc.licence.sm2_pki import SM2_SEAL, make_sm2_pki
from docproc.licence.sm2_signer import load_sm2
from tests.api.group import Group, checked, decision, group, open_application, upload_all, view
from tests.api.memory import children, in_memory
from tests.flow.people import until


@dataclass
class Office:
    """A running service whose seal keys lie in files, and what must not leave the sealer."""

    running: Group
    secrets: dict[str, bytes]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("custody")
    certs = folder / "certs"
    make_dev_pki(certs, at=datetime.now(UTC))
    make_sm2_pki(certs, at=datetime.now(UTC))
    passphrase = (certs / "passphrase").read_bytes()
    prime = _key(certs / "seal-rsa.p12", passphrase)
    scalar = _key(certs / f"{JOINT_SEAL}.p12", passphrase)
    settings = {"DOCPROC_CERTS_DIR": str(certs), "DOCPROC_TRUST_DIR": str(certs / "trust")}
    with group(folder / "var", "tests.flow.sealing_stages", **settings) as running:
        yield Office(
            running,
            {
                "passphrase": passphrase,
                "prime": prime,
                "prime, words from the lowest": prime[::-1],
                "P-256 key": scalar,
                "P-256 key, words from the lowest": scalar[::-1],
                "SM2 key": load_sm2(certs / f"{SM2_SEAL}.pem", passphrase).key.private,
            },
        )


def _key(path: Path, passphrase: bytes) -> bytes:
    """What is secret of a key, big-endian."""
    key, _, _ = pkcs12.load_key_and_certificates(path.read_bytes(), passphrase)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.private_numbers().p.to_bytes(128, "big")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(32, "big")


def test_only_the_sealer_ever_holds_a_key(office: Office) -> None:
    running = office.running
    kiosk, reviewer = running.client(running.new_key("k", "kiosk")), running.client(running.new_key("r", "reviewer"))
    sealer, approver = running.client(running.new_key("s", "sealer")), running.client(running.new_key("a", "approver"))
    with kiosk, reviewer, sealer, approver:
        number = open_application(kiosk)
        upload_all(kiosk, number)
        checked(kiosk, number)
        kiosk.post(f"/v1/applications/{number}/submit").raise_for_status()
        made = reviewer.post(f"/v1/applications/{number}/decisions", json=decision(view(reviewer, number)))
        assert made.status_code == 201, made.text
        sealer.post(f"/v1/applications/{number}/release", json={"version": made.json()["version"]}).raise_for_status()
        issued = until(lambda: (v := view(kiosk, number))["status"] == "issued" and v, 90)
        verdict = kiosk.post(
            "/v1/licences/verify", content=reviewer.get(f"/v1/licences/{issued['licence']}/file").content
        ).json()
        registry = approver.get("/v1/seals").text
        record = approver.get("/v1/seals/market_regulation/record").content
    assert verdict["ok"], verdict
    found = children(running.process.pid)
    held = in_memory(found["seal"], office.secrets)
    assert {"passphrase", "SM2 key"} <= held, "the search finds nothing anywhere"
    assert held & {"prime", "prime, words from the lowest"}, "the search does not know how RSA keys lie in memory"
    assert in_memory(found["web"], office.secrets) == set()
    assert in_memory(found["read"], office.secrets) == set()
    told = (running.folder / "log").read_bytes() + registry.encode() + record
    assert [name for name, item in office.secrets.items() if item in told] == []
