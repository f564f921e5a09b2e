"""The whole chain with the real reader, the real seal and the real verifier: scans in, a licence that verifies out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from api.pages.kiosk.case_view import build
from docproc.licence.devpki.pki import make_dev_pki
from docproc.matter.load import find_matter
from tests.api.group import Group, checked, group, open_application, upload_all, view
from tests.api.real_case import SCANS, approve, correct
from tests.flow.people import until


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("real")
    make_dev_pki(folder / "certs", at=datetime.now(UTC))
    certs = {"DOCPROC_CERTS_DIR": str(folder / "certs"), "DOCPROC_TRUST_DIR": str(folder / "certs" / "trust")}
    with group(folder / "var", "docproc.flow.worker", **certs) as running:
        yield running


def test_a_kiosk_is_told_at_once_that_a_page_is_blurred_while_others_are_read(real: Group) -> None:
    with real.client(real.new_key("kiosk-2", "kiosk")) as kiosk:
        number = open_application(kiosk)
        scans = [path.read_bytes() for path in sorted(SCANS.glob("*.jpg"))]
        blurred = cv2.GaussianBlur(cv2.imdecode(np.frombuffer(scans[0], np.uint8), cv2.IMREAD_COLOR), (0, 0), 9)
        upload_all(kiosk, number, [*scans[1:], cv2.imencode(".jpg", blurred)[1].tobytes()])
        pages = until(lambda: (p := view(kiosk, number)["pages"]) and all(i["previews"] for i in p) and p, 60)
        (word,) = (item["first_word"] for item in pages[-1]["previews"])
        assert word["verdict"] == "rescan"
        assert {"code": "scan.blur", "severity": "fix"}.items() <= word["findings"][0].items()
        assert "模糊" in word["findings"][0]["message"]
        case = build(view(kiosk, number), find_matter("sole_trader"))
        assert "模糊" in "".join(case.cards[-1].messages) and case.cards[-1].has_picture
        until(lambda: view(kiosk, number)["checked"], 400)
        assert view(kiosk, number)["pages"][-1]["readings"][0]["quality"]["verdict"] == "rescan"


def test_scans_become_a_sealed_licence_that_verifies(real: Group) -> None:
    kiosk = real.client(real.new_key("kiosk-1", "kiosk"))
    reviewer = real.client(real.new_key("reviewer-1", "reviewer"))
    sealer = real.client(real.new_key("sealer-1", "sealer"))
    nobody = real.client()
    with kiosk, reviewer, sealer, nobody:
        number = open_application(kiosk)
        upload_all(kiosk, number, [path.read_bytes() for path in sorted(SCANS.glob("*.jpg"))])
        until(lambda: view(kiosk, number)["checked"], 400)
        read = checked(kiosk, number)
        assert {page["state"] for page in read["pages"]} == {"read"}
        words = [page["previews"][0]["first_word"]["verdict"] for page in read["pages"]]
        assert words == [page["readings"][0]["quality"]["verdict"] for page in read["pages"]]
        assert not [f for f in read["findings"] if f["severity"] == "block"], read["findings"]
        assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
        if correct(reviewer, number):
            until(lambda: view(reviewer, number)["checked"])
        version = approve(reviewer, number)["version"]
        assert sealer.post(f"/v1/applications/{number}/release", json={"version": version}).status_code == 200
        licence = until(lambda: (v := view(kiosk, number))["licence"] or (v["seal"]["state"] == "failed" and v))
        assert isinstance(licence, str), licence
        pdf = reviewer.get(f"/v1/licences/{licence}/file").content
        good = nobody.post("/v1/licences/verify", content=pdf).json()
        assert good["ok"] and good["issued"] == "as-issued" and good["licence"]["number"] == licence, good
        changed = pdf.replace(b"/Title", b"/Titel", 1) if b"/Title" in pdf else pdf[:-1]
        bad = nobody.post("/v1/licences/verify", content=changed + b" ").json()
        assert not bad["ok"] and bad["issued"] == "unknown"
        nothing = nobody.post("/v1/licences/verify", content=b"not a licence").json()
        assert not nothing["ok"] and nothing["headline"]
