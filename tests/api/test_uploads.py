"""Resumable uploads over real sockets: cut lines, kill -9, damaged parts, other keys; each file becomes one page."""

from __future__ import annotations

import base64
import hashlib
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api.kit.tus import BODY_TYPE, PART_BYTES
from docproc.flow.core.context import utc_now
from tests.api.group import Group, checked, group, open_application, spawn, view, wait_ready
from tests.flow.people import trader_papers, until
from tests.flow.small_stages import MAGIC, paper

TUS = {"Tus-Resumable": "1.0.0"}
FILE = paper([], pad="x" * 3 * PART_BYTES)
People = dict[str, httpx.Client]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def begin(client: httpx.Client, number: str, size: int = len(FILE), **more: str) -> httpx.Response:
    words = f"filename {b64('经营者身份证.png'.encode())}"
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": words, **more}
    return client.post(f"/v1/applications/{number}/uploads", headers=headers)


def send(client: httpx.Client, place: str, offset: int, data: bytes | Iterator[bytes], **more: str) -> httpx.Response:
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": BODY_TYPE, **more}
    return client.patch(place, headers=headers, content=data)


def offset(client: httpx.Client, place: str) -> int:
    answer = client.head(place, headers=TUS)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


def begun(client: httpx.Client, **more: str) -> tuple[str, str]:
    number = open_application(client)
    answer = begin(client, number, **more)
    assert answer.status_code == 201, answer.text
    return number, answer.headers["location"]


def half_sent(client: httpx.Client, place: str, count: int, **more: str) -> socket.socket:
    """A line on which the whole file was announced and some bytes came."""
    where = urlsplit(str(client.base_url))
    line = socket.create_connection((where.hostname, where.port))
    headers = {
        **TUS,
        "Host": where.netloc,
        "Authorization": client.headers["authorization"],
        "Upload-Offset": "0",
        "Content-Type": BODY_TYPE,
        "Content-Length": str(len(FILE)),
        **more,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    line.sendall(f"PATCH {place} HTTP/1.1\r\n{head}\r\n".encode() + FILE[:count])
    return line


def kept(running: Group, place: str) -> int:
    """Bytes that the service would find again after a crash."""
    with closing(sqlite3.connect(running.folder / "docproc.db")) as database:
        upload = place.rpartition("/")[2]
        return int(database.execute("SELECT received FROM uploads WHERE id = ?", [upload]).fetchone()[0])


def pages_of(client: httpx.Client, number: str) -> list[dict[str, Any]]:
    return list(view(client, number)["pages"])


def test_what_is_spoken_is_told_to_anybody(people: People) -> None:
    answer = people["nobody"].options("/v1/applications/x/uploads")
    assert answer.status_code == 204 and answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,checksum,termination,expiration"
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256" and int(answer.headers["tus-max-size"]) > 10**6


def test_a_cut_upload_goes_on_from_where_the_line_broke(people: People) -> None:
    kiosk = people["kiosk"]
    number, place = begun(kiosk)
    came = PART_BYTES + 1234
    half_sent(kiosk, place, came).close()
    until(lambda: offset(kiosk, place) == came)
    assert pages_of(kiosk, number) == []
    last = send(kiosk, place, came, FILE[came:])
    assert last.status_code == 204 and last.headers["upload-offset"] == str(len(FILE))
    assert parsedate_to_datetime(last.headers["upload-expires"]) > utc_now()
    [page] = pages_of(kiosk, number)
    assert page["sha256"] == hashlib.sha256(FILE).hexdigest() and page["filename"] == "经营者身份证.png"
    assert kiosk.get(last.headers["content-location"]).content == FILE
    assert offset(kiosk, place) == len(FILE) and send(kiosk, place, len(FILE), b"").status_code == 204
    assert len(pages_of(kiosk, number)) == 1


def test_who_comes_back_before_the_broken_line_is_noticed_goes_on_from_all_that_came(
    server: Group, people: People
) -> None:
    """The other end of a cut line hears nothing: it still waits for bytes and has some that it did not yet keep."""
    kiosk = people["kiosk"]
    number, place = begun(kiosk)
    came = PART_BYTES + 1234
    with half_sent(kiosk, place, PART_BYTES) as line:
        until(lambda: kept(server, place) == PART_BYTES)
        line.sendall(FILE[PART_BYTES:came])
        assert offset(kiosk, place) == came
    assert send(kiosk, place, came, FILE[came:]).status_code == 204
    assert [page["sha256"] for page in pages_of(kiosk, number)] == [hashlib.sha256(FILE).hexdigest()]


def test_kill_9_of_all_processes_loses_no_kept_part(tmp_path: Path) -> None:
    with group(tmp_path / "var") as running:
        key = running.new_key("kiosk-1", "kiosk")
        with running.client(key) as kiosk:
            number, place = begun(kiosk)
            line = half_sent(kiosk, place, 2 * PART_BYTES + 99)
            until(lambda: kept(running, place) > 0)
            running.kill()
            line.close()
        running.process, _ = spawn(running.folder, "tests.flow.small_stages")
        running.base, _ = wait_ready(running.process)
        with running.client(key) as kiosk:
            came = offset(kiosk, place)
            assert PART_BYTES <= came <= 2 * PART_BYTES + 99
            assert send(kiosk, place, came, FILE[came:]).status_code == 204
            [page] = pages_of(kiosk, number)
            assert page["sha256"] == hashlib.sha256(FILE).hexdigest()
            until(lambda: checked(kiosk, number))


def test_a_damaged_part_is_refused_and_leaves_nothing(people: People) -> None:
    kiosk = people["kiosk"]
    number, place = begun(kiosk)
    for name in ("sha1", "sha256"):
        good = {"Upload-Checksum": f"{name} {b64(hashlib.new(name, FILE[:500]).digest())}"}
        start = offset(kiosk, place)
        refused = send(kiosk, place, start, FILE[:499] + b"?", **good)
        assert refused.status_code == 460 and refused.json()["code"] == "wrong_checksum"
        assert refused.headers["tus-resumable"] == "1.0.0" and offset(kiosk, place) == start
    assert send(kiosk, place, 0, FILE[:500], **good).headers["upload-offset"] == "500"
    half_sent(kiosk, place, 10, **good).close()
    whole = {"Upload-Checksum": f"sha256 {b64(hashlib.sha256(FILE[500:]).digest())}"}
    assert send(kiosk, place, 500, FILE[500:], **whole).status_code == 204
    assert len(pages_of(kiosk, number)) == 1
    for wrong in ("md5 AAAA", "sha1 ?", "sha1"):
        assert send(kiosk, place, len(FILE), b"", **{"Upload-Checksum": wrong}).status_code in (400, 460)


def test_a_cut_part_with_a_checksum_counts_for_nothing(people: People) -> None:
    kiosk = people["kiosk"]
    _, place = begun(kiosk)
    whole = {"Upload-Checksum": f"sha1 {b64(hashlib.sha1(FILE, usedforsecurity=False).digest())}"}
    half_sent(kiosk, place, 2 * PART_BYTES, **whole).close()
    assert send(kiosk, place, 0, FILE[:7]).headers["upload-offset"] == "7"


def test_one_key_reaches_only_its_own_uploads(server: Group, people: People) -> None:
    kiosk = people["kiosk"]
    number, place = begun(kiosk)
    with server.client(server.new_key("kiosk-1", "kiosk")) as second:  # the same kiosk's other key
        for other in (second, people["clerk"], people["stranger"]):
            assert other.head(place, headers=TUS).status_code == 404
            assert send(other, place, 0, FILE).status_code == 404
            assert other.delete(place, headers=TUS).status_code == 404
    other_number = open_application(kiosk)
    assert kiosk.head(place.replace(number, other_number), headers=TUS).status_code == 404
    assert begin(people["stranger"], number).status_code == 404
    assert offset(kiosk, place) == 0


def test_what_is_given_up_is_gone_and_what_became_a_page_stays(people: People) -> None:
    kiosk = people["kiosk"]
    number, place = begun(kiosk)
    send(kiosk, place, 0, FILE[:1000])
    assert kiosk.delete(place, headers=TUS).status_code == 204
    assert kiosk.head(place, headers=TUS).status_code == 404 and pages_of(kiosk, number) == []
    place = begin(kiosk, number).headers["location"]
    send(kiosk, place, 0, FILE)
    assert kiosk.post(place, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert len(pages_of(kiosk, number)) == 1


def test_announcing_again_under_the_same_key_gives_the_same_upload(people: People) -> None:
    number = open_application(people["kiosk"])
    first, again = (begin(people["kiosk"], number, **{"Idempotency-Key": f"up-{number}"}) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Upload-Length", "0", 422),
        ("Upload-Length", "-1", 400),
        ("Upload-Length", "", 400),
        ("Upload-Length", str(50 * 2**20 + 1), 413),
        ("Upload-Metadata", "filename ?", 400),
        ("Upload-Metadata", f"material {b64(b'dog')}", 422),
        ("Tus-Resumable", "0.2.2", 412),
    ],
)
def test_what_cannot_be_is_refused_at_once(people: People, header: str, value: str, status: int) -> None:
    answer = begin(people["kiosk"], open_application(people["kiosk"]), **{header: value})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["tus-resumable"] == "1.0.0" and ("tus-version" in answer.headers) == (status == 412)


def test_wrong_bytes_are_refused_and_the_upload_stays_where_it_was(people: People) -> None:
    kiosk = people["kiosk"]
    _, place = begun(kiosk)
    assert send(kiosk, place, 5, FILE).json()["code"] == "wrong_offset"
    assert send(kiosk, place, 0, FILE + b"?").status_code == 413
    assert send(kiosk, place, 0, b"MZ" * 1000).json()["code"] == "unsupported_file"
    assert kiosk.patch(place, headers={**TUS, "Upload-Offset": "0"}, content=FILE).status_code == 415
    assert send(kiosk, place, 0, MAGIC).headers["upload-offset"] == str(len(MAGIC))
    number, place = begun(kiosk)
    untold = iter([FILE, b"?"])  # the length shows only while the bytes come
    assert send(kiosk, place, 0, untold).status_code == 413 and pages_of(kiosk, number) == []


def test_papers_sent_in_parts_are_read_and_checked_as_any(people: People) -> None:
    kiosk = people["kiosk"]
    number = open_application(kiosk)
    for data in trader_papers():
        place = begin(kiosk, number, len(data)).headers["location"]
        for start in range(0, len(data), 700):
            assert send(kiosk, place, start, data[start : start + 700]).status_code == 204
    assert checked(kiosk, number)["verdict"] == "pass"
