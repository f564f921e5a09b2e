"""Seal keys in files: once a licence is sealed the sealer's memory has them, no other process, no log, no answer."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from docproc.assets.paths import SERIF, font
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, JOINT_SEAL, make_dev_pki
from docproc.licence.devpki.sm2_pki import MAKER, SM2_SEAL, make_sm2_pki
from docproc.licence.keys.sm2_signer import load_sm2
from docproc.licence.page.art import draw
from docproc.licence.seal import registered_seal
from docproc.licence.seal.seal_object import make_seal_object
from tests.api.group import Group, checked, decision, group, open_application, upload_all, view
from tests.api.memory import children, in_memory
from tests.flow.people import until

NAME = "market_regulation"


@dataclass
class Office:
    """A running service whose seal keys lie in files, and what must not leave the sealer."""

    running: Group
    certs: Path
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
            certs,
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


@pytest.fixture(scope="module")
def people(office: Office) -> Iterator[dict[str, httpx.Client]]:
    roles = ("kiosk", "reviewer", "sealer", "approver")
    with ExitStack() as stack:
        running = office.running
        yield {role: stack.enter_context(running.client(running.new_key(f"{role}-1", role))) for role in roles}


def issue(people: dict[str, httpx.Client]) -> dict[str, Any]:
    """Have a licence issued; the verdict on its file."""
    kiosk, reviewer = people["kiosk"], people["reviewer"]
    number = open_application(kiosk)
    upload_all(kiosk, number)
    checked(kiosk, number)
    kiosk.post(f"/v1/applications/{number}/submit").raise_for_status()
    made = reviewer.post(f"/v1/applications/{number}/decisions", json=decision(view(reviewer, number)))
    assert made.status_code == 201, made.text
    wanted = {"version": made.json()["version"]}
    people["sealer"].post(f"/v1/applications/{number}/release", json=wanted).raise_for_status()
    issued = until(lambda: (v := view(kiosk, number))["status"] == "issued" and v)
    pdf = reviewer.get(f"/v1/licences/{issued['licence']}/file").content
    verdict: dict[str, Any] = kiosk.post("/v1/licences/verify", content=pdf).json()
    return verdict


@pytest.fixture(scope="module")
def verdicts(office: Office, people: dict[str, httpx.Client]) -> tuple[dict[str, Any], dict[str, Any]]:
    """On a licence sealed by RSA, and on one after two persons registered an SM2 seal under the same name."""
    before = issue(people)
    (former,) = [item for item in people["sealer"].get("/v1/seals").json()["seals"] if item["name"] == NAME]
    assert former["algorithm"] == "RSA-2048"
    chain = registered_seal.read_chain((office.certs / f"{SM2_SEAL}.pem").read_bytes())
    begin, end = datetime.now(UTC), datetime.now(UTC) + timedelta(days=90)
    seal = registered_seal.RegisteredSeal(
        name=NAME,
        owner=AUTHORITY,
        owner_code=AUTHORITY_CODE,
        kind="official",
        filing_number="SAMPLE-SM2",
        certificates=registered_seal.to_der(chain),
        diameter=42.0,
        licence_kinds=tuple(former["licence_kinds"]),
        art=draw(AUTHORITY, font(SERIF), diameter=42.0).compressed(),
        valid_from=begin,
        valid_to=end,
    )
    maker = load_sm2(office.certs / f"{MAKER}.pem", office.secrets["passphrase"])
    proposed = {
        "name": NAME,
        "owner": AUTHORITY,
        "owner_code": AUTHORITY_CODE,
        "kind": "official",
        "filing_number": "SAMPLE-SM2",
        "certificates": registered_seal.to_pem(chain),
        "licence_kinds": former["licence_kinds"],
        "valid_from": begin.isoformat(),
        "valid_to": end.isoformat(),
        "reason": "启用国密印章",
        "record": base64.b64encode(make_seal_object(seal, maker, begin)).decode(),
    }
    change = people["sealer"].post("/v1/seals", json=proposed)
    assert change.status_code == 202, change.text
    people["approver"].post(f"/v1/seals/changes/{change.json()['id']}", json={"confirm": True}).raise_for_status()
    return before, issue(people)


def test_two_persons_change_the_service_over_to_sm2(verdicts: tuple[dict[str, Any], dict[str, Any]]) -> None:
    before, verdict = verdicts
    assert (before["ok"], before["signatures"][0]["level"]) == (True, "B-LTA")
    assert (verdict["ok"], verdict["indication"], verdict["integrity"]) == (False, "INDETERMINATE", "intact")
    assert verdict["issued"] == "as-issued"
    (found,) = verdict["signatures"]
    assert (found["algorithm"], found["level"]) == ("SM2", "B-LTA")
    assert found["time"] is not None


@pytest.mark.usefixtures("verdicts")  # in which the sealer used keys of both kinds
def test_only_the_sealer_ever_holds_a_key(office: Office, people: dict[str, httpx.Client]) -> None:
    registry = people["approver"].get("/v1/seals").text
    record = people["approver"].get(f"/v1/seals/{NAME}/record").content
    running = office.running
    found = children(running.process.pid)
    held = in_memory(found["seal"], office.secrets)
    assert {"passphrase", "SM2 key"} <= held, "the search finds nothing anywhere"
    assert held & {"prime", "prime, words from the lowest"}, "the search does not know how RSA keys lie in memory"
    assert in_memory(found["web"], office.secrets) == set()
    assert in_memory(found["read"], office.secrets) == set()
    told = (running.folder / "log").read_bytes() + registry.encode() + record
    assert [name for name, item in office.secrets.items() if item in told] == []
