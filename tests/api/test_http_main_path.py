"""The main path over HTTP: papers in, licence out."""

from __future__ import annotations

import httpx

from tests.api.group import checked, decision, open_application, upload_all, view
from tests.flow.people import until


def test_papers_become_a_licence_that_anyone_can_look_up(people: dict[str, httpx.Client]) -> None:
    kiosk, reviewer, sealer, nobody = (people[name] for name in ("kiosk", "reviewer", "sealer", "nobody"))
    number = open_application(kiosk)
    upload_all(kiosk, number)
    assert checked(kiosk, number)["verdict"] == "pass"
    assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
    seen = view(reviewer, number)
    answer = reviewer.post(f"/v1/applications/{number}/decisions", json=decision(seen))
    assert answer.status_code == 201, answer.text
    released = sealer.post(f"/v1/applications/{number}/release", json={"version": answer.json()["version"]})
    assert released.status_code == 200, released.text
    licence = until(lambda: view(kiosk, number)["licence"])
    found = nobody.get(f"/v1/licences/{licence}")
    assert found.status_code == 200
    assert found.json()["status"] == "valid" and found.json()["holder"] == "双流区样例小吃店"
    details = reviewer.get(f"/v1/licences/{licence}/details").json()
    assert nobody.get(f"/v1/licences/by-code/{details['code']}").json()["number"] == licence
    pdf = nobody.get(f"/v1/licences/by-code/{details['code']}/file")
    assert pdf.headers["content-type"] == "application/pdf" and pdf.content.startswith(b"%PDF-")
