"""Bodies that never end, from one address: the web process stays small, others are served, and all is given back."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.api.group import Group, checked, group, open_application, view
from tests.api.memory import children
from tests.flow.people import trader_papers, until
from tests.security.wire import answer, connect, head, resident_mb, settles

MOST_MB = 500
FILE = 50 * 2**20
OTHER = "127.0.0.9"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    with group(tmp_path_factory.mktemp("memory") / "var", DOCPROC_RATE_LIMIT_PER_MINUTE="100000") as running:
        yield running


def web(service: Group) -> int:
    return children(service.process.pid)["web"]


def spooled(service: Group) -> int:
    """Bytes that the web process has in files without a name."""
    found = 0
    for link in Path(f"/proc/{web(service)}/fd").iterdir():
        try:
            if "/spool/" in str(link.readlink()):
                found += link.stat().st_size
        except OSError:
            continue
    return found


def flood(lines: list[socket.socket], begun: bytes, size: int) -> None:
    """Send so much of a body over each line, all at once, and stop."""

    def one(line: socket.socket) -> None:
        try:
            line.sendall(begun)
            for _ in range(size // 2**18):
                line.sendall(bytes(2**18))
        except OSError:
            pass  # refused

    threads = [threading.Thread(target=one, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", ["a body", "a form"])
def test_sixteen_unfinished_uploads_from_one_address_cost_no_memory_and_leave_nothing(
    service: Group, kind: str
) -> None:
    quiet = resident_mb(web(service))
    key = service.new_key(f"kiosk-{kind[2:]}", "kiosk")
    with service.client(key) as kiosk:
        number = open_application(kiosk)
    more = {"Content_Type": "multipart/form-data; boundary=xyz"} if kind == "a form" else {}
    begun = head("POST", f"/v1/applications/{number}/pages", Authorization=f"Bearer {key}", Content_Length=FILE, **more)
    if kind == "a form":
        begun += b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    with ExitStack() as held:
        lines = [held.enter_context(connect(service.base)) for _ in range(16)]
        flood(lines, begun, FILE - 2**20)
        assert settles(lambda: spooled(service), lambda size: size > 16 * (FILE - 2**21)) > 16 * (FILE - 2**21)
        assert resident_mb(web(service)) < MOST_MB
        with service.client(key) as kiosk:
            assert view(kiosk, number)["pages"] == [], "others work on"
    assert settles(lambda: spooled(service), lambda size: size == 0) == 0
    after = settles(lambda: resident_mb(web(service)), lambda size: size < quiet + 60)
    assert after < quiet + 60, (quiet, after)


def test_what_nobody_may_verify_is_refused_by_its_length(service: Group) -> None:
    with connect(service.base) as line:
        line.sendall(head("POST", "/v1/licences/verify", Content_Length=FILE, Expect="100-continue"))
        status, text = answer(line)
        assert status == 413 and "100 Continue" not in text and "connection: close" in text.lower()


def test_those_without_a_key_verify_large_files_one_after_the_other(service: Group) -> None:
    """Sixty-four files of the largest size that is judged, sent whole by one address, while another verifies one."""
    size = 32 * 2**20
    begun = head("POST", "/v1/licences/verify", Content_Length=size)
    highest, over = 0.0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not over.wait(0.1):
            highest = max(highest, resident_mb(web(service)))

    watching = threading.Thread(target=watch)
    watching.start()
    with ExitStack() as held:
        lines = [held.enter_context(connect(service.base)) for _ in range(64)]
        flood(lines, begun, size)
        with connect(service.base, OTHER) as other:
            sample = b"%PDF-1.7\n" + bytes(2000)
            other.sendall(head("POST", "/v1/licences/verify", Content_Length=len(sample)) + sample)
            assert answer(other, 60)[0] == 200
        statuses = [answer(line, 90)[0] for line in lines]
    over.set()
    watching.join()
    assert highest < MOST_MB, highest
    assert set(statuses) <= {200, 429, 503} and 200 in statuses, statuses


def test_sixty_four_slow_bodies_of_one_address_do_not_stop_another_and_nothing_accepted_is_lost(service: Group) -> None:
    """The slow ones hold a stolen key: those who stand behind the same address with a key of their own are served."""
    stolen, honest = service.new_key("kiosk-stolen", "kiosk"), service.new_key("kiosk-honest", "kiosk")
    with service.client(stolen) as thief, service.client(honest) as kiosk, ExitStack() as held:
        number, own = open_application(thief), open_application(kiosk)
        anonymous = head("POST", "/v1/licences/verify", Content_Length=2**20)
        with_key = head(
            "POST", f"/v1/applications/{number}/pages", Authorization=f"Bearer {stolen}", Content_Length=FILE
        )
        lines = [held.enter_context(connect(service.base)) for _ in range(128)]
        for place, line in enumerate(lines):
            line.sendall((anonymous if place % 2 else with_key) + b"\x89PNG")
        time.sleep(1)
        papers = trader_papers()
        begun = time.monotonic()
        for place, data in enumerate(papers):
            answered = kiosk.post(f"/v1/applications/{own}/pages?filename={place}.png", content=data)
            assert answered.status_code == 201, answered.text
        assert time.monotonic() - begun < 30
        with connect(service.base, OTHER) as other:
            sample = b"%PDF-1.7\n" + bytes(2000)
            other.sendall(head("POST", "/v1/licences/verify", Content_Length=len(sample)) + sample)
            assert answer(other, 30)[0] == 200
        seen = checked(kiosk, own)
        assert len(seen["pages"]) == len(papers)
        for file, data in zip(seen["pages"], papers, strict=True):
            kept = kiosk.get(f"/v1/applications/{own}/pages/{file['id']}/file").content
            assert hashlib.sha256(kept).digest() == hashlib.sha256(data).digest()
        with httpx.Client(base_url=service.base, headers={"Authorization": f"Bearer {stolen}"}, timeout=30) as more:
            refused = more.post("/v1/licences/verify", content=b"x")
            assert refused.status_code in (200, 429)
    assert until(lambda: spooled(service) == 0)


def test_files_on_their_way_have_no_name_and_are_the_owners_alone(service: Group) -> None:
    key = service.new_key("kiosk-names", "kiosk")
    with service.client(key) as kiosk:
        number = open_application(kiosk)
    begun = head("POST", f"/v1/applications/{number}/pages", Authorization=f"Bearer {key}", Content_Length=FILE)
    with connect(service.base) as line:
        line.sendall(begun + b"\x89PNG" + bytes(2**20))
        assert until(lambda: spooled(service) > 2**19)
        folder = service.folder / "spool"
        assert list(folder.iterdir()) == [] and folder.stat().st_mode & 0o077 == 0
        modes = [
            link.stat().st_mode & 0o777
            for link in Path(f"/proc/{web(service)}/fd").iterdir()
            if link.is_symlink() and "/spool/" in str(link.readlink())
        ]
        assert modes == [0o600]
