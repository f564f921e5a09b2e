"""250 hostile inputs on every surface that takes bytes: each gets its answer, memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.api.group import Group, group, open_application, view
from tests.flow.people import until
from tests.security.hostile_inputs import Hostile, everything

INPUTS = everything()
WEB_MB = 500
"""Most memory of the web process, resident, after each input."""
TREE_MB = 3000
"""Most memory of the service with its readers and parsers together, each page counted once."""
PER_CASE = 20
"""Files in one application."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    roomy = {"DOCPROC_RATE_LIMIT_PER_MINUTE": "100000"}
    with group(tmp_path_factory.mktemp("hostile") / "var", "docproc.flow.worker", **roomy) as running:
        yield running


@pytest.fixture(scope="module")
def kiosk(service: Group) -> Iterator[httpx.Client]:
    with service.client(service.new_key("kiosk-1", "kiosk")) as client:
        yield client


@pytest.fixture(scope="module")
def admin(service: Group) -> Iterator[httpx.Client]:
    with service.client(service.admin_key) as client:
        yield client


def on(surface: str) -> list[Any]:
    return [pytest.param(item, id=item.name) for item in INPUTS if item.surface == surface]


def test_there_are_250_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len(INPUTS) >= 250
    assert len({item.name for item in INPUTS}) == len(INPUTS)
    assert all(item.expected for item in INPUTS)


def alive(service: Group) -> None:
    """The service answers at once, and its memory is bounded."""
    assert httpx.get(service.base + "/readyz", timeout=20).status_code == 200
    web = web_process(service)
    assert web.memory_info().rss < WEB_MB * 2**20, f"the web process holds {web.memory_info().rss >> 20} MB"
    whole = sum(memory(process) for process in [psutil.Process(service.process.pid), *children(service)])
    assert whole < TREE_MB * 2**20, f"the service holds {whole >> 20} MB"


def web_process(service: Group) -> psutil.Process:
    port = httpx.URL(service.base).port
    for process in [psutil.Process(service.process.pid), *children(service)]:
        if any(item.laddr.port == port and item.status == "LISTEN" for item in process.net_connections()):
            return process
    raise AssertionError("nobody listens")


def children(service: Group) -> list[psutil.Process]:
    return psutil.Process(service.process.pid).children(recursive=True)


def memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def code_of(answer: httpx.Response) -> str:
    """The status, and the code of the problem after a space."""
    if answer.headers.get("content-type", "") == "application/problem+json":
        return f"{answer.status_code} {answer.json()['code']}"
    return str(answer.status_code)


def expects(item: Hostile, found: str) -> bool:
    """Whether an answer is one of the expected ones; a bare status stands for any code."""
    return any(found == one or found.split(" ")[0] == one for one in item.expected.split("|"))


def test_hostile_scans_are_refused_for_what_they_are(service: Group, kiosk: httpx.Client) -> None:
    scans = [item for item in INPUTS if item.surface == "scan"]
    found: dict[str, str] = {}
    for start in range(0, len(scans), PER_CASE):
        number, pages = open_application(kiosk), {}
        for item in scans[start : start + PER_CASE]:
            answer = kiosk.post(f"/v1/applications/{number}/pages?filename=scan.jpg", content=item.data)
            if answer.status_code == 201:
                pages[answer.json()["id"]] = item
            else:
                assert answer.status_code in (413, 415, 422), (item.name, answer.text)
                found[item.name] = answer.json()["code"]
            alive(service)
        for page in until(lambda at=number: settled(kiosk, at), 120) if pages else []:
            found[pages[page["id"]].name] = page["error_code"] or "read"
        alive(service)
    wrong = {item.name: found[item.name] for item in scans if not expects(item, found[item.name])}
    assert not wrong


def settled(client: httpx.Client, number: str) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = view(client, number)["pages"]
    return [] if any(page["state"] == "queued" for page in pages) else pages


@pytest.mark.parametrize("item", on("verify"))
def test_no_hostile_file_is_called_good(service: Group, item: Hostile) -> None:
    answer = httpx.post(service.base + "/v1/licences/verify", content=item.data, timeout=60)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["ok"] is False
    assert expects(item, said["reason"] or said["integrity"]), said
    alive(service)


@pytest.mark.parametrize("item", on("report"))
def test_a_report_on_a_hostile_file_is_made(service: Group, item: Hostile) -> None:
    answer = httpx.post(service.base + "/v1/licences/verify/report", content=item.data, timeout=60)
    assert expects(item, code_of(answer)), answer.text
    alive(service)


@pytest.mark.parametrize("item", on("photo"))
def test_hostile_photographs_are_told_apart(service: Group, item: Hostile) -> None:
    answer = httpx.post(service.base + "/v1/licences/verify/photo", content=item.data, timeout=120)
    assert expects(item, code_of(answer)), answer.text
    if answer.status_code == 200:
        assert answer.json()["ok"] is not True
    alive(service)


@pytest.mark.parametrize("item", on("matter"))
def test_hostile_matter_files_are_refused(service: Group, admin: httpx.Client, item: Hostile) -> None:
    headers = {"Content-Type": item.type}
    for path in ("/v1/catalogue/check", "/v1/catalogue/changes?reason=test"):
        answer = admin.post(path, content=item.data, headers=headers, timeout=60)
        assert expects(item, code_of(answer)), (path, code_of(answer), answer.text[:300])
    alive(service)


@pytest.mark.parametrize("item", on("json"))
def test_hostile_json_is_refused(service: Group, kiosk: httpx.Client, item: Hostile) -> None:
    answer = kiosk.post("/v1/applications", content=item.data, headers={"Content-Type": item.type})
    assert expects(item, code_of(answer)), answer.text[:300]
    alive(service)


@pytest.mark.parametrize("item", on("part"))
def test_hostile_uploads_in_parts_are_refused(service: Group, kiosk: httpx.Client, item: Hostile) -> None:
    number = open_application(kiosk)
    answer = kiosk.post(f"/v1/applications/{number}/uploads", headers=dict(item.headers))
    assert expects(item, code_of(answer)), (code_of(answer), answer.text[:300])
    alive(service)


@pytest.mark.parametrize("item", on("path"))
def test_hostile_addresses_lead_nowhere(service: Group, kiosk: httpx.Client, item: Hostile) -> None:
    answer = kiosk.get(service.base + item.data.decode("ascii"))
    assert expects(item, code_of(answer)), (code_of(answer), answer.text[:300])
    alive(service)


def test_names_of_files_are_words_and_never_paths(service: Group, kiosk: httpx.Client) -> None:
    """A name is kept as a label; what no file system could hold is refused or made harmless."""
    good = next(Path("samples/scans").glob("*/*.jpg")).read_bytes()
    number = open_application(kiosk)
    for name in ("../../etc/passwd", "a\nb.jpg", "\u202egpj.exe", "CON", "a" * 300 + ".jpg", "é.jpg"):
        answer = kiosk.post(f"/v1/applications/{number}/pages", params={"filename": name}, content=good)
        assert answer.status_code in (201, 422), answer.text
        if answer.status_code == 201:
            kept = answer.json()["filename"]
            assert "/" not in kept and "\n" not in kept and "\u202e" not in kept, kept
    alive(service)
