"""The notice as a file: PDF/A pages with everything on them, sealed and verified as a licence is."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pymupdf
import pytest

from docproc.errors import SealError
from docproc.flow.seals.sealer import development_seals, open_sealer
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.notice import NoticeContent, notice_record, render_notice
from docproc.licence.report.headline import headline
from docproc.licence.report.report import IssuedRecord
from docproc.licence.seal.registered_seal import check_use
from docproc.licence.verify.verify import verify
from docproc.settings import Settings
from tests.judges.judges import verapdf
from tests.licence.conftest import now

ITEMS = [f"{n}. 申请书第{n}栏“住所”：与营业执照不一致（行政许可法第三十一条）" for n in range(1, 61)]
TOLD = NoticeContent(
    number="510116-ST-20261123-000001-BZ1",
    application="510116-ST-20261123-000001",
    matter="sole_trader",
    matter_name="个体工商户登记",
    authority=AUTHORITY,
    authority_code=AUTHORITY_CODE,
    submitted_on=date(2026, 11, 20),
    decided_on=now().date(),
    reason="\n".join(ITEMS[:4]),
    basis="行政许可法第三十二条",
    address="https://licence.example/p/abcdefghijklmnopqrstuv",
)


def text(pdf: bytes) -> str:
    with pymupdf.open(stream=pdf) as document:
        return "".join(page.get_text() for page in document).replace("\n", "").replace("\u3000", "")


@pytest.mark.parametrize("many", [1, 4, 60])
def test_everything_is_on_the_pages_and_no_line_under_the_seal(many: int) -> None:
    record = notice_record(replace(TOLD, reason="\n".join(ITEMS[:many])))
    pdf, place = render_notice(record, 42.0)
    said = text(pdf)
    assert all(said.count(item) == 1 for item in ITEMS[:many])
    assert "2026年11月20日" in said and TOLD.basis in said and TOLD.address in said
    with pymupdf.open(stream=pdf) as document:
        assert document.page_count == {1: 1, 4: 1, 60: 4}[many]
        blocks = document[0].get_text("words")
    seal = pymupdf.Rect(place.x - 21, place.y - 21, place.x + 21, place.y + 21) * (72 / 25.4)
    under = "".join(word[4] for word in blocks if pymupdf.Rect(word[:4]).intersects(seal))
    assert AUTHORITY in under and "住所" not in under


def test_a_character_that_no_font_has_holds_no_notice_up() -> None:
    record = notice_record(replace(TOLD, reason="请补交\U0001f4c4材料\r\n\n第二项\t完"))
    said = text(render_notice(record, 42.0)[0])
    assert "请补交〓材料" in said and "第二项 完" in said
    assert "\U0001f4c4" in next(value for name, _, value in record.fields if name == "reason")


def test_a_sealed_notice_verifies_and_a_seal_must_be_registered_for_it(pki: DevPki, tmp_path: Path) -> None:
    settings = Settings(certs_dir=pki.folder, trust_dir=pki.folder / "trust", _env_file=None)
    record = notice_record(TOLD)
    own = next(seal for seal in development_seals(settings) if seal.name == "market_regulation")
    check_use(own, record, now())
    with pytest.raises(SealError) as refused:
        check_use(replace(own, licence_kinds=("food_business",)), record, now())
    assert refused.value.code == "seal_scope"
    sealed = open_sealer(settings)(record, [own], now())
    digest = hashlib.sha256(sealed).hexdigest()

    class Register:
        def by_sha256(self, asked: str) -> IssuedRecord | None:
            return IssuedRecord(TOLD.number, digest, "valid") if asked == digest else None

        def by_number(self, number: str) -> IssuedRecord | None:
            return IssuedRecord(TOLD.number, digest, "valid") if number == TOLD.number else None

    (tmp_path / "notice.pdf").write_bytes(sealed)
    assert verapdf([tmp_path / "notice.pdf"])[0].compliant
    report = verify(sealed, pki.trust_list(), now(), Register())
    assert report.ok and report.signatures[0].level == "B-LTA" and headline(report).startswith("告知书真实有效")
    assert not verify(sealed.replace(b"%%EOF", b"%%EOG", 1), pki.trust_list(), now(), Register()).ok
