"""An application of a sample's scans, which the real reader reads and a careful official decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.api.group import checked, decision, open_application, upload_all, view
from tests.flow.people import until

SCANS = Path(__file__).parents[2] / "samples" / "scans" / "02-trader-good"


def correct(reviewer: httpx.Client, number: str) -> int:
    """Type over what the machine left open, as printed in the sample's own truth; returns how many fields."""
    truth = [page["fields"] for page in json.loads((SCANS / "expected.json").read_text())["truth"]]
    typed = 0
    for page in view(reviewer, number)["pages"]:
        said = truth[page["position"] - 1]
        base = f"/v1/applications/{number}/pages/{page['id']}/readings"
        for reading in page["readings"]:
            for field in reading["fields"]:
                if field["value"] is None and field["name"] in said:
                    path = f"{base}/{reading['index']}/fields/{field['name']}"
                    assert reviewer.put(path, json={"value": said[field["name"]]}).status_code == 200
                    typed += 1
    return typed


def approve(reviewer: httpx.Client, number: str) -> dict[str, Any]:
    """Approve as a careful official would: every open finding is named and set aside with a reason."""
    seen = view(reviewer, number)
    aside = sorted({f["code"] for f in seen["findings"] if f["severity"] == "fix"})
    body = decision(seen, set_aside=aside, reason="已核对原件，予以认可" if aside else "")
    answer = reviewer.post(f"/v1/applications/{number}/decisions", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


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
