"""Printed licences by photograph: the print is damaged as paper and cameras do, or changed as a forger would."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from docproc.cli.main import app as cli
from docproc.domain import Licence
from docproc.flow.accounts import api_keys
from docproc.flow.core.context import utc_now
from docproc.flow.jobs.engine import migrate_all
from docproc.licence.devpki.pki import make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.scan.files.issued import issued_pages
from docproc.scan.image.geometry import Image
from docproc.settings import Settings
from docproc.store.db import open_database
from docproc.store.licences import licences
from samples.damage import apply, choose
from tests.api.printed import CODE, LICENCE, OTHER, Shop, jpeg


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("printed")
    make_dev_pki(folder / "pki", at=utc_now())
    settings = Settings(
        data_dir=folder,
        trust_dir=folder / "pki" / "trust",
        rate_limit_per_minute=100_000,
        parse_seconds_per_minute=100_000,
        _env_file=None,
    )
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    with TestClient(create_app(settings)) as client:
        opened = Shop(client, settings, DevPki(folder / "pki"))
        for licence in (LICENCE, OTHER):
            (folder / f"{licence.number}.pdf").write_bytes(opened.issue(licence))
        yield opened


def drawn(shop: Shop, licence: Licence) -> Image:
    return issued_pages(shop.sealed(licence))[0].image.copy()


@pytest.fixture(scope="module")
def page(shop: Shop) -> Image:
    return drawn(shop, LICENCE)


def photographed(image: Image, kind: str = "photo", seed: int = 3) -> Image:
    rng = random.Random(seed)
    return apply(image, choose(kind, rng), rng)[0]


def results(report: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["result"] for item in report["print"]["fields"]}


def changed(name: str, value: str) -> Licence:
    return replace(LICENCE, fields=tuple((n, label, value if n == name else v) for n, label, v in LICENCE.fields))


@pytest.mark.parametrize("kind", ["scan", "photo", "hard"])
def test_a_true_print_agrees_in_every_field(shop: Shop, page: Image, kind: str) -> None:
    report = shop.ask(photographed(page, kind))
    assert report["print"]["outcome"] == "same", results(report)
    assert set(results(report)) >= {"number", "holder", "uscc", "legal_rep", "place", "items", "valid_to", "authority"}
    assert report["ok"] and report["licence"] == {
        "number": LICENCE.number,
        "status": "valid",
        "since": None,
        "reason": "",
        "basis": "",
    }
    assert (report["kind"], report["indication"], report["signatures"]) == ("photograph", "NO-SIGNATURE", [])
    assert "不能证明电子印章" in report["print"]["note"]


@pytest.mark.parametrize(
    ("name", "forged"),
    [
        ("legal_rep", changed("legal_rep", "样例乙")),
        ("place", changed("place", "示例市示例区样例路108号一层101、102室")),
        ("uscc", changed("uscc", "92990096MA00000000")),
        ("valid_to", replace(LICENCE, valid_to=date(2097, 12, 31))),
        ("items", changed("items", "热食类食品制售；冷食类食品制售")),
    ],
)
def test_one_changed_character_is_shown_beside_what_was_issued(shop: Shop, name: str, forged: Licence) -> None:
    report = shop.ask(photographed(drawn(shop, forged)))
    assert not report["ok"] and report["print"]["outcome"] == "differs"
    told = next(item for item in report["print"]["fields"] if item["name"] == name)
    assert told["result"] == "differs" and told["read"] != told["issued"]
    assert told["box"] and told["shown"] and told["as_issued"]
    assert [n for n, result in results(report).items() if result == "differs"] == [name], "and nothing else"


def test_a_covered_field_cannot_be_read(shop: Shop, page: Image) -> None:
    covered = page.copy()
    x, y = 300 * 2, 352 * 2  # the representative, at 200 dpi
    covered[y - 25 : y + 25, x - 10 : x + 110] = (70, 60, 50)
    report = shop.ask(photographed(covered))
    assert results(report)["legal_rep"] == "unreadable"
    assert (report["ok"], report["print"]["outcome"]) == (False, "unreadable")


def test_something_written_in_is_pointed_out(shop: Shop, page: Image) -> None:
    added = page.copy()
    cv2.putText(added, "Branch No. 2", (1300, 1020), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (40, 30, 30), 4)
    report = shop.ask(photographed(added))
    assert (report["ok"], report["print"]["outcome"]) == (False, "added")
    assert report["print"]["added"][0]["shown"]


def test_the_code_of_another_licence_does_not_cover_this_one(shop: Shop, page: Image) -> None:
    pasted, other = page.copy(), drawn(shop, OTHER)
    place = np.s_[1150:1400, 250:500]
    pasted[place] = other[place]
    report = shop.ask(photographed(pasted))
    assert report["licence"]["number"] == OTHER.number
    assert report["print"]["outcome"] == "differs" and not report["ok"]
    assert results(report)["number"] == results(report)["holder"] == "differs"


def test_a_print_without_code_and_a_strange_code_say_nothing(shop: Shop, page: Image) -> None:
    bare = page.copy()
    bare[1150:1400, 250:500] = 255
    none = shop.ask(bare)
    assert (none["print"]["outcome"], none["licence"]["number"], none["ok"]) == ("no-code", None, False)
    strange = shop.ask(drawn(shop, replace(LICENCE, verify_url="https://elsewhere.example/v/nobody-knows-this")))
    assert (strange["print"]["outcome"], strange["reason"]) == ("not-ours", "not-ours")
    assert strange["headline"].startswith("不是本机关签发，无法核验") and not strange["ok"]
    forged = shop.ask(drawn(shop, replace(LICENCE, verify_url="http://127.0.0.1:8000/v/nobody-knows-this")))
    assert (forged["print"]["outcome"], forged["reason"], forged["ok"]) == ("unknown-code", None, False)
    assert "请勿采信" in forged["headline"]
    lure = shop.ask(drawn(shop, replace(LICENCE, verify_url=f"https://elsewhere.example/v/{CODE}")))
    assert lure["print"]["outcome"] == "other-address" and not lure["ok"]


def test_another_paper_with_the_true_code_is_not_the_licence(shop: Shop, page: Image) -> None:
    paper = np.full_like(page, 255)
    paper[1150:1400, 250:500] = page[1150:1400, 250:500]
    cv2.putText(paper, "CERTIFICATE", (500, 500), cv2.FONT_HERSHEY_SIMPLEX, 4, (0, 0, 0), 8)
    report = shop.ask(paper)
    assert report["print"]["outcome"] in ("not-shown", "differs") and not report["ok"]


def test_a_suspended_licence_is_never_good(shop: Shop, page: Image) -> None:
    ctx = shop.client.app.state.context  # type: ignore[attr-defined]
    try:
        with ctx.database.write() as session:
            row = licences.find_licence(session, LICENCE.number, lock=True)
            licences.set_status(session, row, "suspended", "a", utc_now(), reason="样例理由", basis="样例法第一条")
        report = shop.ask(page)
        assert (report["ok"], report["print"]["outcome"], report["licence"]["status"]) == (False, "same", "suspended")
        assert report["headline"].startswith("该证照已被暂停") and report["licence"]["reason"] == "样例理由"
    finally:
        with ctx.database.write() as session:
            row = licences.find_licence(session, LICENCE.number, lock=True)
            licences.set_status(session, row, "valid", "a", utc_now(), reason="样例理由", basis="样例法第一条")


ITEMS = tuple(f"样例经营项目第{number}类（示例）" for number in range(1, 81))
LONG = replace(
    LICENCE,
    number="JY29900990000031",
    application="A-3",
    verify_url="http://127.0.0.1:8000/v/long-code-0123456789",
    fields=(*LICENCE.fields[:3], ("items", "经营项目", "；".join(ITEMS))),
)


@pytest.fixture(scope="module")
def long_pages(shop: Shop) -> list[Image]:
    """A licence with two annex pages, which look alike but for their text."""
    pages = [page.image.copy() for page in issued_pages(shop.issue(LONG))]
    assert len(pages) == 3
    return pages


def test_a_licence_of_several_pages_agrees_whatever_their_order(shop: Shop, long_pages: list[Image]) -> None:
    report = shop.ask_all([photographed(long_pages[page], seed=5 + page) for page in (1, 2, 0)])
    assert report["print"]["outcome"] == "same" and report["ok"], results(report)
    items = next(item for item in report["print"]["fields"] if item["name"] == "items")
    assert items["read"].startswith(ITEMS[0]) and ITEMS[-1][:8] in items["read"], "read to the end of the last page"


def test_one_changed_item_on_an_annex_page_is_shown(shop: Shop, long_pages: list[Image]) -> None:
    said = "；".join(ITEMS).replace(ITEMS[-3], "预包装酒类批发零售（示例）")
    other = replace(LONG, fields=(*LONG.fields[:3], ("items", "经营项目", said)))
    forged = [*long_pages[:2], issued_pages(shop.sealed(other))[2].image]
    report = shop.ask_all([photographed(page, seed=8) for page in forged])
    assert report["print"]["outcome"] == "differs" and not report["ok"]
    told = next(item for item in report["print"]["fields"] if item["name"] == "items")
    assert (told["result"], told["page"]) == ("differs", 2) and told["shown"] and told["as_issued"]
    assert "酒类批发" in told["read"]


def test_a_page_that_was_not_photographed_is_named(shop: Shop, long_pages: list[Image], tmp_path: Path) -> None:
    """On the command line, offline beside the issued file."""
    issued, photos = tmp_path / "issued.pdf", [tmp_path / f"{page}.jpg" for page in (0, 2)]
    issued.write_bytes(shop.sealed(LONG))
    for path in photos:
        path.write_bytes(jpeg(photographed(long_pages[int(path.stem)], seed=5)))
    offline = ["--pages", "--trust", str(shop.settings.trust_dir), "--issued", str(issued), "--json"]
    done = CliRunner().invoke(cli, ["verify", *map(str, photos), *offline])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], told["print"]["outcome"]) == (1, False, "incomplete")
    assert told["print"]["missing_pages"] == [2]
    assert results(told)["items"] == "unreadable", "the other annex page is not taken for it"


def test_too_many_photographs_are_refused(shop: Shop, page: Image) -> None:
    sent = [("files", (f"{n}.jpg", jpeg(page), "image/jpeg")) for n in range(13)]
    assert shop.client.post("/v1/licences/verify/photo", files=sent).status_code == 413
    assert shop.client.post("/v1/licences/verify/photo", files=[("files", ("x.jpg", b""))]).status_code == 422


def test_what_is_no_picture_is_refused(shop: Shop) -> None:
    for junk in (b"junk", b"\xff\xd8\xff junk", b""):
        assert shop.client.post("/v1/licences/verify/photo", content=junk).status_code in (415, 422)


def test_the_public_page_shows_the_comparison(shop: Shop) -> None:
    word = re.search(r'name="csrf" value="([^"]+)"', shop.client.get("/verify").text)
    assert word
    photo = jpeg(photographed(drawn(shop, changed("legal_rep", "样例乙"))))
    shown = shop.client.post("/verify/photo", data={"csrf": word[1]}, files={"file": ("a.jpg", photo, "image/jpeg")})
    assert 'data-light="bad"' in shown.text and 'data-field="legal_rep" data-result="differs"' in shown.text
    assert shown.text.count('src="data:image/jpeg;base64,') == 2


def test_the_command_compares_with_an_issued_file_offline(shop: Shop, page: Image, tmp_path: Path) -> None:
    photo, issued = tmp_path / "photo.jpg", shop.settings.data_dir / f"{LICENCE.number}.pdf"
    photo.write_bytes(jpeg(photographed(page)))
    asked = ["verify", str(photo), "--trust", str(shop.settings.trust_dir), "--issued", str(issued), "--json"]
    done = CliRunner().invoke(cli, asked)
    told = json.loads(done.stdout)
    assert told["print"]["outcome"] == "same" and told["licence"]["status"] == "unknown"
    assert done.exit_code == 1, "without a status list nothing says that the licence is in force"


def test_many_files_and_numbers_in_one_call(shop: Shop) -> None:
    from tests.flow.people import ADMIN

    ctx = shop.client.app.state.context  # type: ignore[attr-defined]
    key = api_keys.create_key(ctx, ADMIN, "bank-1", "92510116MA6DEVX00X", ["enterprise"])["key"]
    signed = {"Authorization": f"Bearer {key}"}
    good = (shop.settings.data_dir / f"{LICENCE.number}.pdf").read_bytes()
    sent = [("files", (f"{n}.pdf", data)) for n, data in enumerate([good, good + b" ", b"junk"])]
    told = shop.client.post("/v1/licences/verify/many", files=sent, headers=signed).json()
    assert (told["ok"], told["total"], told["good"]) == (False, 3, 1)
    assert [(item["file"], item["ok"]) for item in told["results"]] == [
        ("0.pdf", True),
        ("1.pdf", False),
        ("2.pdf", False),
    ]
    assert told["results"][0]["verdict"]["issued"] == "as-issued"
    many = {"numbers": [LICENCE.number, "none", OTHER.number.lower()]}
    known = shop.client.post("/v1/licences/lookup", json=many, headers=signed).json()
    assert [(item["number"], item["ok"]) for item in known["results"]] == [
        (LICENCE.number, True),
        ("none", False),
        (OTHER.number.lower(), True),
    ]
    too_many = shop.client.post("/v1/licences/lookup", json={"numbers": ["x"] * 501}, headers=signed)
    assert too_many.status_code == 422
    sent = [("files", (f"{n}.pdf", b"x")) for n in range(51)]
    assert shop.client.post("/v1/licences/verify/many", files=sent, headers=signed).status_code == 413
