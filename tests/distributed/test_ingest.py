"""A folder of scans: handed in as a batch, resumable, with a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docproc.cli import app
from docproc.client import Client
from docproc.errors import InputError
from docproc.ingest import ingest, parcels
from tests.distributed.deployment import Deployment
from tests.flow.people import trader_papers


def fill(folder: Path, applications: int) -> None:
    for turn in range(applications):
        (folder / f"case-{turn}").mkdir(parents=True)
        for place, data in enumerate(trader_papers(turn=f"{folder.name}-{turn}")):
            (folder / f"case-{turn}" / f"{place}.png").write_bytes(data)


def test_a_folder_is_handed_in_once_however_often_it_is_run(deployed: Deployment, tmp_path: Path) -> None:
    fill(tmp_path / "scans", 3)
    (tmp_path / "scans" / "case-0" / "notes.txt").write_text("not a scan")
    notes, key = tmp_path / "notes.jsonl", deployed.new_key("batch-1", "kiosk")
    with Client(deployed.base, key) as client:
        first = ingest(client, tmp_path / "scans", "sole_trader", notes)
        assert (first.parcels, first.handed_in, first.failed) == (3, 3, {})
        assert first.verdicts == {"pass": 3} and first.files == 3 * len(trader_papers())
        # Cut short after the first application, in the middle of a line.
        lines = [line for line in notes.read_text().splitlines() if line]
        kept = next(line for line in lines if "number" in line)
        notes.write_text(f'\n{kept}\n{{"parcel": "case-')
        second = ingest(client, tmp_path / "scans", "sole_trader", notes)
        assert (second.done_before, second.handed_in, second.failed) == (1, 2, {})
        listed = client.get("/v1/applications?limit=100")
    assert len(listed) == 3
    numbers = {json.loads(line)["number"] for line in lines if "number" in line}
    assert len(numbers) == 3


def test_what_cannot_be_handed_in_is_reported_and_the_rest_goes_on(deployed: Deployment, tmp_path: Path) -> None:
    fill(tmp_path / "scans", 1)
    (tmp_path / "scans" / "broken.png").write_bytes(b"not a picture")
    key = deployed.new_key("batch-2", "kiosk")
    command = ["ingest", str(tmp_path / "scans"), "--matter", "sole_trader", "--server", deployed.base, "--key", key]
    done = CliRunner().invoke(app, [*command, "--notes", str(tmp_path / "notes.jsonl"), "--json"])
    assert done.exit_code == 1, done.output
    report = json.loads(done.stdout)
    assert list(report["failed"]) == ["broken.png"] and report["handed_in"] == 1 and report["verdicts"] == {"pass": 1}


def test_a_folder_without_scans_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no scans"):
        list(parcels(tmp_path))
