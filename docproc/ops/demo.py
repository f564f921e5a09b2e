"""The demonstration: the real service on a free port, and its three kinds of users working through the samples."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from docproc.errors import SetupError
from docproc.ops.client import Client

STARTED = re.compile(r"docproc listens on (\S+)")
FIRST_SECRETS = re.compile(r"first administrator's secrets: (.+)")


def run_demo(samples: Path, folder: Path) -> dict[str, Any]:
    """Submit every sample application, decide those that pass, and verify what was issued.

    Args:
        samples: folder with one folder for each application: scans and ``expected.json``.
        folder: for the results; those of an earlier run are removed.

    Raises:
        SetupError: no samples, or the service does not start.
    """
    cases = sorted(p.parent for p in samples.glob("*/expected.json"))
    if not cases:
        raise SetupError(
            f"no sample applications in {samples}: make some with `python -m samples.make --out {samples}`"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with _service(folder / "service") as (server, admin_key), Progress(console=Console(stderr=True)) as bar:
        people = _people(server, admin_key, folder / "service")
        task = bar.add_task("applications", total=len(cases))
        rows = []
        for case in cases:
            bar.update(task, description=case.name)
            rows.append(_application(case, people, server, folder))
            bar.advance(task)
    result = {"ok": all(r["as_expected"] for r in rows), "applications": rows, "folder": str(folder)}
    (folder / "result.json").write_text(json.dumps(result, ensure_ascii=False, indent=2), encoding="utf-8")
    return result


@contextmanager
def _service(data: Path) -> Iterator[tuple[str, str]]:
    env = {**os.environ, "DOCPROC_DATA_DIR": str(data), "DOCPROC_PORT": "0"}
    command = [sys.executable, "-m", "docproc.cli", "serve"]
    data.mkdir(parents=True)
    with (data / "service.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        yield _announced(process, data / "service.log")
    finally:
        process.terminate()
        process.wait(timeout=60)


def _announced(process: subprocess.Popen[str], log: Path) -> tuple[str, str]:
    key = server = ""
    assert process.stdout is not None
    for line in process.stdout:
        if secrets := _group(FIRST_SECRETS, line):
            key = str(tomllib.loads(Path(secrets).read_text("utf-8"))["api_key"])
        server = server or _group(STARTED, line)
        if key and server:
            return server, key
    raise SetupError(f"the service did not start; see {log} and run `docproc doctor`")


def _group(pattern: re.Pattern[str], line: str) -> str:
    found = pattern.search(line)
    return found.group(1) if found else ""


def _people(server: str, admin_key: str, data: Path) -> dict[str, Client]:
    """A kiosk, a reviewer and the person who releases the seal, each with their own key."""
    with Client(server, admin_key) as admin:
        kiosk = admin.post("/v1/keys", {"subject": "demo-kiosk", "org": "demo", "roles": ["kiosk"]})["key"]
    keys = {"kiosk": kiosk} | {role: _own_key(data, role) for role in ("approver", "sealer")}
    return {role: Client(server, key) for role, key in keys.items()}


def _own_key(data: Path, role: str) -> str:
    """A key made on the machine belongs to whom it is for; two that one administrator made would be one person's."""
    command = [sys.executable, "-m", "docproc.cli", "key", "add", f"demo-{role}", "--role", role, "--org", "demo"]
    env = {**os.environ, "DOCPROC_DATA_DIR": str(data)}
    done = subprocess.run([*command, "--json"], env=env, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SetupError("no key can be made; run `docproc doctor`")
    return str(json.loads(done.stdout)["key"])


def _application(case: Path, people: dict[str, Client], server: str, folder: Path) -> dict[str, Any]:
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    kiosk = people["kiosk"]
    view = kiosk.hand_in(expected["matter"], [case / name for name in expected["files"]])
    codes = [f["code"] for f in view["findings"]]
    row: dict[str, Any] = {
        "sample": case.name,
        "number": view["number"],
        "matter": expected["matter"],
        "verdict": view["verdict"],
        "expected": expected["verdict"],
        "findings": [f for f in view["findings"] if f["severity"] != "info"],
        "entered_by_reviewer": [],
        "licence": None,
        "verified": None,
        "altered_refused": None,
    }
    row["as_expected"] = view["verdict"] == expected["verdict"] and set(expected["findings"]) <= set(codes)
    if view["verdict"] == "pass":
        row["entered_by_reviewer"] = _issue(view["number"], people, row, folder, expected["truth"])
        _verify(server, row, folder)
        row["as_expected"] = row["as_expected"] and row["verified"] and row["altered_refused"]
    return row


def _enter_unread(number: str, reviewer: Client, truth: list[dict[str, Any]]) -> list[str]:
    """Enter the fields that the machine left open, as a reviewer does who looks at the picture."""
    written = {(t["material"], t["page"], name): v for t in truth for name, v in t["fields"].items()}
    entered = []
    for page in reviewer.get(f"/v1/applications/{number}")["pages"]:
        for reading in page["readings"]:
            for item in reading["fields"]:
                value = written.get((reading["material"], reading["page"], item["name"]))
                if item["value"] is None and value:
                    place = f"pages/{page['id']}/readings/{reading['index']}/fields/{item['name']}"
                    reviewer.put(f"/v1/applications/{number}/{place}", {"value": value})
                    entered.append(f"{reading['material']}.{item['name']}")
    return entered


def _issue(
    number: str, people: dict[str, Client], row: dict[str, Any], folder: Path, truth: list[dict[str, Any]]
) -> list[str]:
    people["kiosk"].post(f"/v1/applications/{number}/submit")
    entered = _enter_unread(number, people["approver"], truth)
    seen = people["approver"].wait_for(number, lambda v: bool(v["checked"]))
    decision = {"action": "approve", "version": seen["version"], "content_sha256": seen["content_sha256"]}
    approved = people["approver"].post(f"/v1/applications/{number}/decisions", decision)
    if approved["seal"] and approved["seal"]["state"] == "awaiting_release":
        people["sealer"].post(f"/v1/applications/{number}/release", {"version": approved["version"]})
    done = people["kiosk"].wait_for(number, lambda v: v["status"] == "issued" or v["seal"]["state"] == "failed")
    if done["status"] != "issued":
        raise SetupError(
            f"{number}: sealing failed: {done['seal']['note']}; see service.log in the demonstration's folder"
        )
    row["licence"] = done["licence"]
    data = people["kiosk"].download(f"/v1/licences/{done['licence']}/file")
    (folder / f"{done['licence']}.pdf").write_bytes(data)
    row["file"] = str(folder / f"{done['licence']}.pdf")
    return entered


def _verify(server: str, row: dict[str, Any], folder: Path) -> None:
    """Verify the file as issued, and the same file with one byte in its middle changed."""
    data = Path(row["file"]).read_bytes()
    place = len(data) // 2
    altered = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    with Client(server) as public:
        good = public.upload("/v1/licences/verify", data, "licence.pdf")
        bad = public.upload("/v1/licences/verify", altered, "altered.pdf")
    row["verified"] = good["ok"]
    row["altered_refused"] = not bad["ok"]
    row["report"] = good
    path = folder / f"{row['licence']}.verification.json"
    path.write_text(json.dumps(good, ensure_ascii=False, indent=2), encoding="utf-8")


def show(result: dict[str, Any], out: Console) -> None:
    """Print the result as a table."""
    table = Table("sample", "verdict", "findings", "entered by the reviewer", "licence", "verified", "altered file")
    for row in result["applications"]:
        told = "\n".join(
            f"[{'red' if f['severity'] != 'warn' else 'yellow'}]{f['code']}[/] {f['message']}" for f in row["findings"]
        )
        table.add_row(
            row["sample"],
            row["verdict"] + ("" if row["as_expected"] else f" [red](expected {row['expected']})[/]"),
            told or "—",
            ", ".join(row["entered_by_reviewer"]) or "—",
            row["licence"] or "—",
            {True: "[green]ok[/]", False: "[red]no[/]", None: "—"}[row["verified"]],
            {True: "[green]refused[/]", False: "[red]accepted[/]", None: "—"}[row["altered_refused"]],
        )
    out.print(table)
    out.print(f"sealed licences, verification reports and the service's log are in {result['folder']}")
