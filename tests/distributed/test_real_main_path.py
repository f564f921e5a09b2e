"""The whole main path as in production: real reader, seal and verifier, PostgreSQL, MinIO, a process for each part."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx

from docproc.licence.devpki.pki import make_dev_pki
from tests.api.group import checked, open_application, upload_all, view
from tests.api.test_real_chain import SCANS, approve, correct
from tests.distributed.deployment import REAL, deployment
from tests.flow.people import until


def test_scans_become_a_licence_that_verifies_over_real_servers(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    make_dev_pki(certs, at=datetime.now(UTC))
    with deployment(tmp_path, REAL, certs_dir=certs, trust_dir=certs / "trust") as running:
        running.start_workers(wait=False)
        people = running.people()
        nobody = people["nobody"]
        licence, pdf = make_licence(people)
        good = nobody.post("/v1/licences/verify", content=pdf).json()
        assert good["ok"] and good["issued"] == "as-issued" and good["licence"]["number"] == licence, good
        assert not nobody.post("/v1/licences/verify", content=pdf + b" ").json()["ok"]
        for client in people.values():
            client.close()


def make_licence(people: dict[str, httpx.Client]) -> tuple[str, bytes]:
    """Hand the scans of a sample in, decide and seal; the licence's number and file."""
    kiosk, reviewer, sealer = (people[name] for name in ("kiosk", "reviewer", "sealer"))
    number = open_application(kiosk)
    upload_all(kiosk, number, [path.read_bytes() for path in sorted(SCANS.glob("*.jpg"))])
    until(lambda: view(kiosk, number)["checked"], 400)
    assert {page["state"] for page in checked(kiosk, number)["pages"]} == {"read"}
    assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
    if correct(reviewer, number):
        until(lambda: view(reviewer, number)["checked"], 60)
    version = approve(reviewer, number)["version"]
    assert sealer.post(f"/v1/applications/{number}/release", json={"version": version}).status_code == 200
    licence = until(lambda: (v := view(kiosk, number))["licence"] or (v["seal"]["state"] == "failed" and v), 120)
    assert isinstance(licence, str), licence
    return licence, reviewer.get(f"/v1/licences/{licence}/file").content
