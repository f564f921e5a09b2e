"""Judges that share no code with us accept what we issue: EU DSS, veraPDF, BouncyCastle, openssl, poppler and qpdf."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from docproc.assets.paths import font
from docproc.domain import Licence
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, SEALS, make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import draw
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.seal.renew import renew
from docproc.licence.seal.seal import Level, seal
from tests.judges.judges import bouncycastle, dss, verapdf
from tests.judges.tools import openssl_faults, pdfsig, qpdf_check

ISSUED = date(2026, 1, 1)
FOOD = Licence(
    number="JY29901160000017",
    kind="food_business",
    matter="food_licence",
    version=1,
    application="SAMPLE-0001",
    title="食品经营许可证",
    holder="示例测试餐饮有限公司",
    authority=AUTHORITY,
    authority_code=AUTHORITY_CODE,
    issued_on=ISSUED,
    valid_from=ISSUED,
    valid_to=date(2099, 12, 31),
    fields=(
        ("uscc", "统一社会信用代码", "91990101MA00000000"),
        ("legal_rep", "法定代表人", "张样例"),
        ("place", "经营场所", "示例市测试区样本路一百二十八号"),
        ("items", "经营项目", "热食类食品制售、冷食类食品制售"),
    ),
    verify_url="http://127.0.0.1:8000/v/JY29901160000017",
)
TRADER = replace(
    FOOD,
    number="92990101MA00000000",
    kind="sole_trader",
    matter="sole_trader",
    title="营业执照",
    holder="示例测试小吃店",
    valid_to=None,
    fields=(
        ("uscc", "统一社会信用代码", "92990101MA00000000"),
        ("name", "名称", "示例测试小吃店"),
        ("type", "类型", "个体工商户"),
        ("operator", "经营者", "张样例"),
        ("place", "经营场所", "示例市测试区样本路一百二十八号"),
        ("established_on", "注册日期", ISSUED.isoformat()),
        ("form", "组成形式", "个人经营"),
        ("scope", "经营范围", "小吃服务；食品销售"),
    ),
)


@dataclass(frozen=True)
class Issued:
    """Both kinds of licence under both kinds of key, at the level we issue."""

    files: list[Path]
    pki: DevPki
    at: datetime
    """When they were issued; the judges judge now."""

    @property
    def roots(self) -> list[Path]:
        return [self.pki.folder / "trust" / "root.crt"]


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    folder = tmp_path_factory.mktemp("issued")
    at = datetime.now(UTC) - timedelta(hours=2)
    make_dev_pki(folder / "pki", at=at)
    pki = DevPki(folder / "pki")
    files = []
    for licence in (FOOD, TRADER):
        for name in SEALS:
            files.append(folder / f"{licence.kind}-{name}.pdf")
            files[-1].write_bytes(issue(licence, pki, name, at))
    return Issued(files, pki, at)


def issue(licence: Licence, pki: DevPki, key: str, at: datetime, level: Level = "B-LTA") -> bytes:
    layout = load_layout(licence.kind)
    return seal(
        render(licence, layout),
        pki.signer(key),
        pki.timestamper(lambda: at),
        pki.seal_trust(),
        place=layout.seal,
        art=draw(licence.authority, font(), diameter=layout.seal.diameter),
        reason="准予许可",
        at=at,
        level=level,
    )


def test_eu_dss_passes_our_licences_at_the_level_we_claim(issued: Issued) -> None:
    reports = dss(issued.files, issued.roots)
    assert len(reports) == 4
    for report in reports:
        (signature,) = report.signatures
        assert (signature.indication, signature.sub_indication) == ("TOTAL-PASSED", "")
        assert signature.level == "PAdES-BASELINE-LTA"
        assert signature.changes == ()
        assert signature.errors == ()
        assert [item.indication for item in report.timestamps] == ["PASSED", "PASSED"]


def test_eu_dss_agrees_with_every_lower_level(issued: Issued, tmp_path: Path) -> None:
    levels: list[Level] = ["B-B", "B-T", "B-LT"]
    files = []
    for level in levels:
        files.append(tmp_path / f"{level}.pdf")
        files[-1].write_bytes(issue(FOOD, issued.pki, SEALS[0], issued.at, level))
    reports = dss(files, issued.roots)
    assert [report.signatures[0].level for report in reports] == [f"PAdES-BASELINE-{level[2:]}" for level in levels]
    assert [report.signatures[0].indication for report in reports] == ["INDETERMINATE", "INDETERMINATE", "TOTAL-PASSED"]


def test_eu_dss_still_passes_a_renewed_licence(issued: Issued, tmp_path: Path) -> None:
    file = tmp_path / "renewed.pdf"
    trust = issued.pki.seal_trust()
    now = issued.at + timedelta(minutes=90)
    file.write_bytes(renew(issued.files[0].read_bytes(), issued.pki.timestamper(lambda: now), trust, at=now))
    (report,) = dss([file], issued.roots)
    (signature,) = report.signatures
    assert (signature.indication, signature.level, signature.changes) == ("TOTAL-PASSED", "PAdES-BASELINE-LTA", ())
    assert [item.indication for item in report.timestamps] == ["PASSED", "PASSED", "PASSED"]
    assert verapdf([file], "3b")[0].failed == ()
    assert openssl_faults(file, issued.roots) == []


def test_eu_dss_refuses_a_licence_with_one_byte_changed(issued: Issued, tmp_path: Path) -> None:
    data = issued.files[0].read_bytes()
    files = []
    for share in (0.1, 0.3, 0.6):
        place = int(data.index(b"/ByteRange") * share)
        files.append(tmp_path / f"{share}.pdf")
        files[-1].write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    for report in dss(files, issued.roots):
        assert report.error or report.signatures[0].indication != "TOTAL-PASSED"


def test_verapdf_finds_our_licences_archivable_before_and_after_sealing(issued: Issued, tmp_path: Path) -> None:
    rendered = []
    for licence in (FOOD, TRADER):
        rendered.append(tmp_path / f"{licence.kind}.pdf")
        rendered[-1].write_bytes(render(licence, load_layout(licence.kind)))
    for report in verapdf([*rendered, *issued.files], "3b"):
        assert report.failed == ()
        assert report.compliant


def test_bouncycastle_finds_every_signature_and_timestamp_sound(issued: Issued) -> None:
    for report in bouncycastle(issued.files):
        assert report.error == ""
        assert [(item.sub_filter, item.valid) for item in report.signatures] == [
            ("ETSI.CAdES.detached", True),
            ("ETSI.RFC3161", True),
        ]
        assert report.signatures[0].timestamps == (True,)
        assert report.signatures[-1].covers_file


def test_openssl_verifies_every_signature_and_timestamp_up_to_the_root(issued: Issued) -> None:
    for file in issued.files:
        assert openssl_faults(file, issued.roots) == []


def test_poppler_and_qpdf_accept_our_licences(issued: Issued) -> None:
    for file in issued.files:
        assert pdfsig(file)[0] == "Signature is Valid."
        assert qpdf_check(file) == ""
