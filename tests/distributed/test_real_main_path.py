"""The whole main path as in production: real reader, seal and verifier, PostgreSQL, MinIO, a process for each part."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from docproc.licence.devpki.pki import make_dev_pki
from tests.api.real_case import make_licence
from tests.distributed.deployment import REAL, deployment


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
