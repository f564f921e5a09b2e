"""What a stranger sees of each kind of file at /verify: whose it is, what is known of it, and in which colour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pymupdf
import pytest
from playwright.sync_api import Browser, expect

from docproc.flow.core.context import Context, utc_now
from docproc.flow.licences.licences import change_licence
from docproc.licence.devpki.pki import make_dev_pki
from docproc.licence.devpki.responder import DevPki
from tests.api.pages.inside import running
from tests.api.pages.test_every_page import listening
from tests.api.pages.watching import PHONE, shot, watched
from tests.flow.people import APPROVER
from tests.flow.sealed import LICENCE, register, sealed
from tests.licence.verify.test_not_ours import paper, signed
from tests.security.hostile_inputs import swelling_table


@dataclass
class Shown:
    """A running service and the files to be verified there."""

    app: object
    files: Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Licences in force, suspended and revoked, what became of them, and what others signed."""
    folder = tmp_path_factory.mktemp("verdicts")
    for name in ("own", "theirs"):
        make_dev_pki(folder / name, at=utc_now())
    places = {"certs_dir": folder / "own", "trust_dir": folder / "own" / "trust"}
    with running(folder / "var", **places) as (app, ctx):
        yield Shown(app, made(ctx, folder))


def made(ctx: Context, folder: Path) -> Path:
    """The folder of the files, named as in :data:`VERDICTS`."""
    files = folder / "files"
    files.mkdir()
    own, theirs = DevPki(folder / "own"), DevPki(folder / "theirs")
    for number, (name, action) in enumerate((("good", ""), ("suspended", "suspend"), ("revoked", "revoke"))):
        licence = replace(LICENCE, number=f"JY2990099000002{number}", application=f"A-{number}")
        data = ctx.blobs.get(register(ctx, own, licence))
        (files / f"{name}.pdf").write_bytes(data)
        if action:
            change_licence(ctx, APPROVER, licence.number, action, "以欺骗手段取得", "样例法第六十九条")  # type: ignore[arg-type]
    good = (files / "good.pdf").read_bytes()
    middle = len(good) // 2
    others = {
        "altered": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
        "forged": sealed(theirs, LICENCE),
        "foreign": signed(paper(), theirs.signer("seal-rsa")),
        "unsigned": paper(),
        "encrypted": locked(),
        "picture": b"\xff\xd8\xff\xe0" + bytes(1000),
        "limit": swelling_table(),
    }
    for name, data in others.items():
        (files / f"{name}.pdf").write_bytes(data)
    return files


def locked() -> bytes:
    with pymupdf.open(stream=paper()) as document:
        return bytes(document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, permissions=0, owner_pw="o", user_pw="u"))


OURS, CLAIMED = "证照编号", "文件自称的编号（未证实）"
VERDICTS = {
    "good": ("good", "真实有效", ["good"] * 4, OURS),
    "suspended": ("bad", "本机关签发，已被暂停", ["good", "good", "good", "bad"], OURS),
    "revoked": ("bad", "本机关签发，已作废", ["good", "good", "good", "bad"], OURS),
    "altered": ("bad", "请勿采信", ["bad"] * 4, CLAIMED),
    "forged": ("bad", "不是本机关签发，请勿采信", ["warn", "warn", "bad", "bad"], CLAIMED),
    "foreign": ("warn", "无法核验", ["warn", "warn", "bad", "warn"], CLAIMED),
    "unsigned": ("warn", "无法核验", ["warn", "warn", "bad", "warn"], CLAIMED),
    "encrypted": ("warn", "无法核验", ["warn", "warn", "bad", "warn"], CLAIMED),
    "picture": ("warn", "无法核验", ["warn", "warn", "bad", "warn"], CLAIMED),
    "limit": ("warn", "没有核验完成", ["warn", "warn", "bad", "warn"], CLAIMED),
}
"""Colour, words, the four points, and what the number is called."""


def test_every_verdict_says_whose_the_file_is_and_nothing_that_is_not_so(shown: Shown, browser: Browser) -> None:
    with listening(shown) as base, watched(browser, base, PHONE) as public:  # type: ignore[arg-type]
        for name, (light, words, points, number) in VERDICTS.items():
            public.open("/verify")
            with public.page.expect_navigation():
                public.page.set_input_files("input[type=file][name=file]", str(shown.files / f"{name}.pdf"))
            head = public.page.locator(".verdict")
            assert (name, head.get_attribute("data-light")) == (name, light)
            expect(head.locator("h1")).to_have_text(words)
            found = [item.get_attribute("data-result") for item in public.page.locator(".checklist li").all()]
            assert (name, found) == (name, points)
            told = public.page.locator("main").inner_text()
            assert number in told and (CLAIMED in told) == (number == CLAIMED), name
            said_changed = re.search(r"已被改动|被改动过", told) is not None
            assert said_changed == (name == "altered"), name
            if name in ("suspended", "revoked"):
                assert "文件是登记机关签发的" in told and "以欺骗手段取得" in told and "样例法第六十九条" in told
                assert re.search(r"已于\d{4}年\d+月\d+日", told)
            public.check_open_to_all()
            shot(public, f"verdict-{name}")
