"""Links to blobs for a short time: one contract for a folder and two makers' S3 servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from docproc.errors import NotFoundError, SetupError
from docproc.store.blobs.blobs import Blobs, FileBlobs, open_blobs
from docproc.store.blobs.links import Link, LinkOverError, check, sign
from tests.servers.objects import S3Server

DATA = b"%PDF-1.7 a sealed licence" * 100
NAME = "证照 1.pdf"
SECRET = b"a secret of this test"
Follow = Callable[[str], tuple[bytes, str, str]]
"""Bytes, Content-Type and Content-Disposition behind an address."""


def link_to(key: str, seconds: int = 60) -> Link:
    return Link(key, NAME, "application/pdf", int(time.time()) + seconds)


def from_server(address: str) -> tuple[bytes, str, str]:
    answer = httpx.get(address)
    if answer.status_code != 200:
        raise LinkOverError(str(answer.status_code))
    return answer.content, answer.headers["Content-Type"], answer.headers["Content-Disposition"]


def from_us(store: Blobs) -> Follow:
    """As the service answers its own links."""

    def follow(address: str) -> tuple[bytes, str, str]:
        parts = urlsplit(address)
        query = {name: value for name, (value,) in parse_qs(parts.query).items()}
        link = Link(parts.path, query["name"], query["type"], int(query["expires"]))
        check(link, query["signature"], store.link_secret(), datetime.now(UTC))
        return store.get(link.key), link.media_type, f"attachment; {link.name}"

    return follow


@pytest.fixture(params=["file", "minio", "versitygw", "minio without a public address"])
def linked(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Blobs, Follow]:
    """A store, and what follows its links."""
    if request.param == "file":
        store = open_blobs(f"file:{tmp_path / 'blobs'}")
        return store, from_us(store)
    server: S3Server = request.getfixturevalue(request.param.split()[0])
    public = "" if "without" in request.param else f"http://{server.endpoint}"
    keys = {"access_key": server.access_key, "secret_key": server.secret_key, "public_url": public}
    store = open_blobs(server.url(f"links-{uuid4().hex[:8]}"), secure=False, **keys)
    return store, from_server if public else from_us(store)


def test_a_link_gives_the_file_under_its_name_until_it_is_over(linked: tuple[Blobs, Follow]) -> None:
    store, follow = linked
    key = store.put(DATA, keep_days=1)
    data, kind, disposition = follow(store.link(link_to(key)))
    assert data == DATA and kind == "application/pdf" and disposition.startswith("attachment")
    short = store.link(link_to(key, 1))
    time.sleep(2.2)
    with pytest.raises(LinkOverError):
        follow(short)


def test_a_link_leads_to_nothing_else(linked: tuple[Blobs, Follow]) -> None:
    store, follow = linked
    key, other = store.put(DATA), store.put(b"of somebody else")
    good = store.link(link_to(key))
    parts = urlsplit(good)
    later = (
        good.replace("expires=", "expires=9")
        if "expires=" in good
        else good.replace("X-Amz-Expires=", "X-Amz-Expires=9")
    )
    for changed in (good.replace(key, other), good.replace("pdf&", "html&", 1), later, good[:-4] + "0000"):
        assert changed != good, parts
        with pytest.raises(LinkOverError):
            follow(changed)


def test_there_is_no_link_to_what_is_not_there(linked: tuple[Blobs, Follow]) -> None:
    store, _ = linked
    for key in ("0" * 64, "../.link-key"):
        with pytest.raises(NotFoundError):
            store.link(link_to(key))


def test_no_part_of_a_link_can_be_moved_into_another() -> None:
    at = datetime.now(UTC)
    made = Link("0" * 64, "a.pdf", "application/pdf", int((at + timedelta(seconds=60)).timestamp()))
    signature = sign(made, SECRET).rpartition("signature=")[2]
    check(made, signature, SECRET, at)
    moved = replace(made, name="a.pdfa", media_type="pplication/pdf")
    for link, secret, when in (
        (moved, SECRET, at),
        (made, b"another secret", at),
        (made, SECRET, at + timedelta(seconds=60)),
        (replace(made, expires=made.expires + 1), SECRET, at),
    ):
        with pytest.raises(LinkOverError):
            check(link, signature, secret, when)
    with pytest.raises(LinkOverError):
        check(made, "签名", SECRET, at)


def test_every_process_on_a_folder_has_the_same_key_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first, second = FileBlobs(tmp_path), FileBlobs(tmp_path)
    assert first.link_secret() == second.link_secret() and len(first.link_secret()) == 32
    assert (tmp_path / ".link-key").stat().st_mode & 0o777 == 0o600
    assert list(first.iterate()) == []


@pytest.mark.parametrize("address", ["minio:9000", "ftp://files", "https://files/bucket"])
def test_a_public_address_that_is_none_names_the_setting(minio: S3Server, address: str) -> None:
    keys = {"access_key": minio.access_key, "secret_key": minio.secret_key}
    with pytest.raises(SetupError, match="DOCPROC_S3_PUBLIC_URL"):
        open_blobs(minio.url("links"), secure=False, public_url=address, **keys)
