"""The seal's key on a token, through the whole service: two persons, outages, and no secret outside the sealer."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, make_dev_pki
from docproc.licence.devpki.pki_server import serving
from docproc.licence.devpki.responder import DevPki
from tests.api.group import Group, checked, decision, group, open_application, upload_all, view
from tests.api.memory import children, in_memory
from tests.flow.people import until
from tests.servers.softhsm import find_module

TOKEN = "custody"
PUT_CERTIFICATE = """
import sys, pkcs11
from pkcs11 import Attribute, CertificateType, ObjectClass
from asn1crypto import x509
module, token, pin, file = sys.argv[1:]
der = open(file, "rb").read()
parsed = x509.Certificate.load(der)
with pkcs11.lib(module).get_token(token_label=token).open(rw=True, user_pin=pin) as session:
    session.create_object({
        Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
        Attribute.TOKEN: True, Attribute.LABEL: "seal", Attribute.ID: b"\\x01",
        Attribute.SUBJECT: parsed.subject.dump(), Attribute.ISSUER: parsed.issuer.dump(),
        Attribute.SERIAL_NUMBER: parsed["tbs_certificate"]["serial_number"].dump(), Attribute.VALUE: der,
    })
"""


@dataclass
class Custody:
    """A running service whose seal is on a token, and what must not leave the sealer."""

    running: Group
    pki: DevPki
    port: int
    certificates: str
    secrets: dict[str, bytes]


@pytest.fixture(scope="module")
def custody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Custody]:
    module, folder = find_module(), tmp_path_factory.mktemp("custody")
    port = _free_port()
    make_dev_pki(folder / "certs", at=datetime.now(UTC), base_url=f"http://127.0.0.1:{port}")
    pki = DevPki(folder / "certs")
    pin, passphrase = secrets.token_hex(12), secrets.token_hex(16)
    data = (pki.folder / "seal-rsa.p12").read_bytes()
    key, own, chain = pkcs12.load_key_and_certificates(data, pki.passphrase)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert own is not None
    config = _token(module, folder, key, own, pin)
    prime = key.private_numbers().p
    settings = {
        "SOFTHSM2_CONF": str(config),
        "DOCPROC_CERTS_DIR": str(pki.folder),
        "DOCPROC_TRUST_DIR": str(pki.folder / "trust"),
        "DOCPROC_AUTHORITY_CODE": AUTHORITY_CODE,
        "DOCPROC_PKCS11_MODULE": str(module),
        "DOCPROC_PKCS11_TOKEN": TOKEN,
        "DOCPROC_PKCS11_KEY": "seal",
        "DOCPROC_PKCS11_PIN": pin,
        "DOCPROC_SEAL_PASSPHRASE": passphrase,
        "DOCPROC_TSA_URL": f"http://127.0.0.1:{port}/tsa",
    }
    with group(folder / "var", "tests.flow.sealing_stages", **settings) as running:
        yield Custody(
            running,
            pki,
            port,
            "".join(item.public_bytes(Encoding.PEM).decode() for item in (own, *chain)),
            {
                "PIN": pin.encode(),
                "passphrase": passphrase.encode(),
                "prime": prime.to_bytes(128, "big"),
                "prime, words from the lowest": prime.to_bytes(128, "little"),
            },
        )


def _token(module: Path, folder: Path, key: rsa.RSAPrivateKey, own: x509.Certificate, pin: str) -> Path:
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    pem, der = folder / "key.pem", folder / "own.der"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    der.write_bytes(own.public_bytes(Encoding.DER))
    util = ["softhsm2-util", "--module", str(module)]
    for command in (
        [*util, "--init-token", "--free", "--label", TOKEN, "--pin", pin, "--so-pin", pin],
        [*util, "--import", str(pem), "--token", TOKEN, "--label", "seal", "--id", "01", "--pin", pin],
        [sys.executable, "-c", PUT_CERTIFICATE, str(module), TOKEN, pin, str(der)],
    ):
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "SOFTHSM2_CONF": str(config)})
    pem.unlink()
    return config


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_token_seals_through_the_service_and_waits_out_an_outage(custody: Custody) -> None:
    running = custody.running
    kiosk, reviewer = running.client(running.new_key("k", "kiosk")), running.client(running.new_key("r", "reviewer"))
    sealer, approver = running.client(running.new_key("s", "sealer")), running.client(running.new_key("a", "approver"))
    with kiosk, reviewer, sealer, approver:
        assert approver.get("/v1/seals").json() == {"seals": [], "changes": []}  # a real seal never enters by itself
        now = datetime.now(UTC)
        seal = {
            "name": "market_regulation",
            "owner": AUTHORITY,
            "owner_code": AUTHORITY_CODE,
            "kind": "official",
            "filing_number": "SAMPLE-9",
            "certificates": custody.certificates,
            "licence_kinds": ["sole_trader", "food_business"],
            "valid_from": now.isoformat(),
            "valid_to": (now + timedelta(days=90)).isoformat(),
            "reason": "启用",
        }
        change = sealer.post("/v1/seals", json=seal)
        assert change.status_code == 202, change.text
        path = f"/v1/seals/changes/{change.json()['id']}"
        assert sealer.post(path, json={"confirm": True}).status_code == 403
        assert approver.post(path, json={"confirm": True}).status_code == 200
        number = open_application(kiosk)
        upload_all(kiosk, number)
        checked(kiosk, number)
        kiosk.post(f"/v1/applications/{number}/submit").raise_for_status()
        made = reviewer.post(f"/v1/applications/{number}/decisions", json=decision(view(reviewer, number)))
        assert made.status_code == 201, made.text
        released = sealer.post(f"/v1/applications/{number}/release", json={"version": made.json()["version"]})
        assert released.status_code == 200, released.text
        waiting = until(lambda: (v := view(kiosk, number))["seal"]["state"] == "waiting" and v)
        assert "自动重试" in waiting["seal"]["note"]
        assert waiting["licence"] is None
        os.kill(children(running.process.pid)["seal"], signal.SIGKILL)
        with serving(custody.pki, lambda: datetime.now(UTC), port=custody.port):
            issued = until(lambda: (v := view(kiosk, number))["status"] == "issued" and v)
        pdf = reviewer.get(f"/v1/licences/{issued['licence']}/file").content
        verdict = kiosk.post("/v1/licences/verify", content=pdf).json()
        assert verdict["ok"], verdict
        assert verdict["signatures"][0]["level"] == "B-LTA"


def test_only_the_sealer_ever_holds_a_secret(custody: Custody) -> None:
    running = custody.running
    with running.client() as nobody:
        nobody.get("/readyz").raise_for_status()
    found = children(running.process.pid)
    assert set(found) == {"web", "read", "seal"}
    assert {"PIN", "passphrase"} <= in_memory(found["seal"], custody.secrets), "the search finds nothing anywhere"
    assert in_memory(found["web"], custody.secrets) == set()
    assert in_memory(found["read"], custody.secrets) == set()
    log = (running.folder / "log").read_bytes()
    assert [name for name, item in custody.secrets.items() if item in log] == []
