"""A folder or a bucket of scans: handed in as a batch, resumable, with a report.

``DOCPROC_INGEST_SCANS`` makes the run that is killed larger; it prints what it measured.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docproc.cli.main import app
from docproc.errors import InputError
from docproc.ops.client import Client
from docproc.ops.ingest import ingest, parcels
from docproc.store.applications import pages
from docproc.store.blobs.minio_source import Bucket
from tests.distributed.deployment import Deployment, deployment
from tests.flow.people import trader_papers, until
from tests.flow.small_stages import paper

SCANS = int(os.environ.get("DOCPROC_INGEST_SCANS", "60"))


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


def test_a_bucket_is_handed_in_like_a_folder(deployed: Deployment, tmp_path: Path) -> None:
    keys = deployed.settings.s3_access_key, deployed.settings.s3_secret_key.get_secret_value()
    address = deployed.settings.blobs.rpartition("/")[0] + "/scans"
    bucket = Bucket.open(f"{address}/batch", *keys, secure=False)
    bucket.client.make_bucket(bucket_name="scans")
    content = {"a/1.png": 0, "a/deeper/2.PNG": 1, "a-b/1.png": 2, "single.png": 3}
    for name, turn in content.items():
        body = paper([], mark=f"bucket-{turn}")
        bucket.client.put_object(
            bucket_name="scans", object_name=f"batch/{name}", data=io.BytesIO(body), length=len(body)
        )
    for name in ("batch/a/notes.txt", "other/x.png"):
        bucket.client.put_object(bucket_name="scans", object_name=name, data=io.BytesIO(b"x"), length=1)
    env = {"DOCPROC_INGEST_ACCESS_KEY": keys[0], "DOCPROC_INGEST_SECRET_KEY": keys[1], "DOCPROC_S3_SECURE": "false"}
    key = deployed.new_key("batch-3", "kiosk")
    command = ["ingest", f"{address}/batch", "--matter", "sole_trader", "--server", deployed.base, "--key", key]
    command += ["--notes", str(tmp_path / "notes.jsonl"), "--json"]
    first = json.loads(CliRunner().invoke(app, command, env=env).stdout)
    assert (first["parcels"], first["handed_in"], first["files"], first["failed"]) == (3, 3, 4, {})
    again = json.loads(CliRunner().invoke(app, command, env=env).stdout)
    assert (again["done_before"], again["handed_in"]) == (3, 0) and sum(again["verdicts"].values()) == 3
    with Client(deployed.base, key) as client:
        found = [client.get(f"/v1/applications/{item['number']}") for item in client.get("/v1/applications?limit=100")]
    assert sorted(page["filename"] for view in found for page in view["pages"]) == [
        "1.png",
        "1.png",
        "2.PNG",
        "single.png",
    ]
    with pytest.raises(InputError, match="NoSuchBucket"):
        list(Bucket.open(address + "-not", *keys, secure=False).keys())
    with pytest.raises(InputError, match="s3://HOST"):
        Bucket.open("s3://host", *keys, secure=False)


def test_a_run_that_is_killed_goes_on_where_it_stopped_though_the_service_restarts_meanwhile(tmp_path: Path) -> None:
    scans = {f"{turn:06d}.png": paper([], mark=f"bulk-{turn}") for turn in range(SCANS)}
    (tmp_path / "scans").mkdir()
    for name, body in scans.items():
        (tmp_path / "scans" / name).write_bytes(body)
    with deployment(tmp_path, max_queue=4 * SCANS) as running:
        running.start_workers()
        notes, key = tmp_path / "notes.jsonl", running.new_key("bulk", "kiosk")
        command = [sys.executable, "-m", "docproc.cli", "ingest", str(tmp_path / "scans"), "--matter", "sole_trader"]
        command += ["--server", running.base, "--notes", str(notes), "--json"]
        env = {**os.environ, "DOCPROC_KEY": key}
        started = time.monotonic()
        first = subprocess.Popen(command, env=env)
        until(lambda: notes.exists() and notes.read_text().count("number") > SCANS // 4, 30 + SCANS)
        first.kill()
        first.wait()
        second = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
        until(lambda: notes.read_text().count("number") > SCANS // 2, 30 + SCANS)
        running.kill_web()
        told, _ = second.communicate(timeout=60 + 2 * SCANS)
        seconds = time.monotonic() - started
        report = json.loads(told)
        ctx = running.context()
        with ctx.database.read() as session:
            kept = [page for number in _numbers(notes) for page in pages.live_pages(session, number)]
        ctx.close()
        with Client(running.base, key) as client:
            listed, after = 0, ""
            while found := client.get(f"/v1/applications?limit=200&after={after}"):
                listed, after = listed + len(found), found[-1]["number"]
    print(f"{SCANS} scans, killed once, service restarted once: {seconds:.0f} s, {SCANS / seconds:.1f} a second")
    assert second.returncode == 0 and report["failed"] == {}
    assert report["done_before"] + report["handed_in"] == report["parcels"] == listed == SCANS
    assert sorted(page.sha256 for page in kept) == sorted(hashlib.sha256(body).hexdigest() for body in scans.values())
    assert sum(report["verdicts"].values()) == SCANS


def _numbers(notes: Path) -> set[str]:
    lines = [json.loads(line) for line in notes.read_text().splitlines() if line.endswith("}")]
    return {line["number"] for line in lines if "number" in line}


def test_a_folder_without_scans_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no scans"):
        list(parcels(tmp_path))
