"""Kiosks at capacity while strangers upload without end, dribble heads and have dear files checked.

``DOCPROC_LOAD_SECONDS`` makes it longer.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import count

import httpx
import pytest

from docproc.bench.load import run
from tests.distributed.test_load import READING, SECONDS
from tests.flow.small_stages import paper
from tests.security import costly
from tests.security.wire import connect, head
from tests.servers.objects import S3Server

MOST_MB = 500
SLOWEST_S = 1.0
PHOTO = "/v1/licences/verify/photo"
FILE = 32 * 2**20


def unfinished_bodies(base: str, over: threading.Event, answers: Counter[str]) -> None:
    """Sixteen large bodies of one address that stop before their end, again and again."""
    begun = head("POST", "/v1/licences/verify", Content_Length=FILE)
    while not over.is_set():
        with ExitStack() as held:
            for _ in range(16):
                line = held.enter_context(connect(base, "127.0.0.21"))
                with suppress(OSError):
                    line.sendall(begun + bytes(FILE - 2**20))
                    answers["bodies"] += 1
                if over.wait(0.2):
                    return
            over.wait(5)


def endless_heads(base: str, over: threading.Event, answers: Counter[str]) -> None:
    """Two hundred connections of one address, each with a line of a head now and then."""
    while not over.is_set():
        with ExitStack() as held:
            lines = []
            for _ in range(200):
                with suppress(OSError):
                    lines.append(held.enter_context(connect(base, "127.0.0.22")))
                    lines[-1].sendall(b"GET /healthz HTTP/1.1\r\n")
                    answers["heads"] += 1
            for turn in range(20):
                for line in lines:
                    with suppress(OSError):
                        line.sendall(b"X-%d: a\r\n" % turn)
                if over.wait(0.5):
                    return


def dear_prints(base: str, over: threading.Event, answers: Counter[str]) -> None:
    """Files to check as prints that no budget is enough for, one after the other from each of several addresses."""
    numbers = count()

    def from_address(address: str) -> None:
        transport = httpx.HTTPTransport(local_address=address)
        with httpx.Client(base_url=base, transport=transport, timeout=60) as client:
            while not over.is_set():
                with suppress(httpx.HTTPError):
                    code = client.post(PHOTO, content=costly.nested_forms() + b"%% %d\n" % next(numbers)).status_code
                    answers[f"print {code}"] += 1
                over.wait(0.2)

    together([partial(from_address, f"127.0.0.{23 + turn}") for turn in range(4)])


def together(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def attacks(answers: Counter[str], base: str) -> Iterator[None]:
    over = threading.Event()
    jobs = [partial(job, base, over, answers) for job in (unfinished_bodies, endless_heads, dear_prints)]
    everything = threading.Thread(target=together, args=(jobs,))
    everything.start()
    time.sleep(1)
    try:
        yield
    finally:
        over.set()
        everything.join()


def test_kiosks_are_answered_in_time_and_lose_nothing_beside_attacks(
    postgres_url: str, minio: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"S3_ACCESS_KEY": minio.access_key, "S3_SECRET_KEY": minio.secret_key, "S3_SECURE": "false"}
    for name, value in {"DATABASE_URL": postgres_url, "BLOBS": minio.url("attacked"), **keys}.items():
        monkeypatch.setenv(f"DOCPROC_{name}", value)
    answers: Counter[str] = Counter()
    found = run(
        lambda turn: paper([], sleep=READING, mark=f"attacked-{turn}"),
        SECONDS,
        2,
        "distributed",
        module="tests.flow.small_stages",
        beside=partial(attacks, answers),
    )
    print(found, answers)
    assert answers["bodies"] and answers["heads"] and answers["print 413"], answers
    assert not any(name.startswith("print 5") and name != "print 503" for name in answers), answers
    assert found["lost"] == 0 and found["files"] > 0
    for rush in found["rushes"]:
        assert rush["without_retry_after"] == 0
        assert rush["p99"] < SLOWEST_S, rush
        assert rush["memory"]["web"]["most"] < MOST_MB, rush
