"""The verdict on one A4 page in Chinese that a person can read, print and file; it is no licence and bears no seal."""

from __future__ import annotations

import hashlib
from datetime import datetime

from docproc.assets.paths import SANS, SERIF, font
from docproc.domain import CHINA
from docproc.licence.page.canvas import PT, Canvas, Colour, number
from docproc.licence.page.glyphs import typeface
from docproc.licence.page.pdf import PdfFile, embed
from docproc.licence.report.headline import headline
from docproc.licence.report.report import SignatureReport, VerificationReport

PAGE_MM = (210.0, 297.0)
_LEFT, _VALUE, _RIGHT = 22.0, 62.0, 188.0  # mm
_INK: Colour = (0.12, 0.12, 0.12)
_QUIET: Colour = (0.4, 0.4, 0.4)
_GOOD: Colour = (0.05, 0.42, 0.18)
_BAD: Colour = (0.72, 0.08, 0.08)
_OPEN: Colour = (0.5, 0.36, 0.0)
_MOST_LINES = 3
"""Lines that one value may take: what a stranger's file claims must not push the verdict off the page."""
INDICATION = {
    "TOTAL-PASSED": "通过（TOTAL-PASSED）",
    "INDETERMINATE": "不能确定（INDETERMINATE）",
    "TOTAL-FAILED": "不通过（TOTAL-FAILED）",
    "NO-SIGNATURE": "没有电子印章（NO-SIGNATURE）",
}
INTEGRITY = {
    "intact": "完整，未被改动",
    "extended": "签章之后被追加了内容",
    "altered": "已被改动或损坏",
    "unknown": "不作判断",
}
REASON = {
    "not-ours": "签章不是本机关的",
    "no-signature": "文件没有电子印章",
    "unreadable": "文件无法读取",
    "encrypted": "文件已加密",
    "not-a-pdf": "不是 PDF 文件",
    "limit": "没有核验完成，请稍后再试",
}
"""Why a file was not judged."""
ISSUED = {"as-issued": "与登记的签发文件逐字节一致", "superseded": "是登记过的旧版本文件", "unknown": "未核对到"}
STATUS = {
    "valid": "有效",
    "suspended": "已暂停",
    "revoked": "已作废",
    "superseded": "已被新证照取代",
    "expired": "已过有效期",
    "unknown": "未核对",
}
STATUS_OVER = ("suspended", "revoked", "superseded", "expired")
SOURCE = {"register": "签发机关的登记簿", "status-list": "签发机关签名的状态清单", "nothing": "未联网，仅核对文件本身"}
NOTE = (
    "说明：本页由验证程序生成，只说明上述时间点的验证结果，本身不是证照，也不具有证照的效力。印章验证按"
    " ETSI EN 319 102-1 进行；“印章有效”只表示文件由该机关签章且未被改动，证照是否仍然有效以“证照状态”为准。"
    "电子印章采用 PAdES 格式，不是国家标准 GB/T 38540 规定的格式。"
)


def report_pdf(report: VerificationReport) -> bytes:
    """Draw a verdict.

    Raises:
        SetupError: the fonts have not been fetched.
    """
    canvas = Canvas(*PAGE_MM)
    canvas.face("serif", typeface(font(SERIF)))
    canvas.face("sans", typeface(font(SANS)))
    canvas.text(PAGE_MM[0] / 2, 30, "电子证照验证报告", 22, key="serif", colour=_INK, align="centre")
    colour = _colour(report)
    canvas.line([(_LEFT, 36), (_RIGHT, 36)], 0.6, colour)
    canvas.text(_LEFT, 47, _conclusion(report), 16, key="sans", colour=colour)
    y = _block(canvas, _LEFT, 56, headline(report), 11.5, _RIGHT - _LEFT, _INK)
    for title, rows in _sections(report):
        y += 5
        canvas.text(_LEFT, y, title, 12, key="sans", colour=colour)
        canvas.line([(_LEFT, y + 2), (_RIGHT, y + 2)], 0.2, _QUIET)
        y += 8.5
        for label, value in rows:
            canvas.text(_LEFT, y, label, 10, key="sans", colour=_QUIET)
            y = _block(canvas, _VALUE, y, value, 10, _RIGHT - _VALUE, _INK)
    _block(canvas, _LEFT, 272, NOTE, 8, _RIGHT - _LEFT, _QUIET, most=5)
    return _assemble(canvas)


def _colour(report: VerificationReport) -> Colour:
    """Green and red are for what was judged; of what was not, nothing bad is known."""
    if report.ok:
        return _GOOD
    unjudged = report.reason is not None and not report.claimed
    return _OPEN if unjudged and report.status not in ("revoked", "suspended") else _BAD


def _conclusion(report: VerificationReport) -> str:
    if report.claimed:
        return "结论：不是本机关签发，请勿采信"
    if report.is_ours() and report.status in STATUS_OVER:
        return f"结论：证照{STATUS[report.status]}，不能使用"
    if report.reason == "limit":
        return "结论：没有核验完成"
    if report.reason is not None:
        return "结论：无法核验"
    if not report.ok:
        return "结论：不能采信"
    return "结论：印章有效，证照状态尚未核对" if report.checked_with == "nothing" else "结论：可以采信"


Rows = list[tuple[str, str]]
"""Label and value."""


def _sections(report: VerificationReport) -> list[tuple[str, Rows]]:
    seals = [row for item in report.signatures for row in _seal_rows(report, item)]
    sub = f"，{report.sub_indication}" if report.sub_indication else ""
    result = [("验证结果", INDICATION[report.indication] + sub), ("文件完整性", INTEGRITY[report.integrity])]
    if report.reason is not None:
        result.append(("未能判断的原因", REASON[report.reason]))
    file = [("与签发文件核对", ISSUED[report.issued]), ("文件 SHA-256", report.sha256)]
    if report.at is not None:
        file.append(("验证时间点", _time(report.at)))
    return [
        ("证照", _licence_rows(report)),
        ("证照状态", _status_rows(report)),
        ("电子印章", result + seals),
        ("文件", file),
    ]


def _licence_rows(report: VerificationReport) -> Rows:
    claim = "" if report.is_ours() else "（文件自称，未经证实）"
    rows, licence = [("证照编号", report.number + claim if report.number else "无")], report.licence
    if licence is None:
        return rows
    authorities = "、".join((licence.authority, *(name for name, _ in licence.joint)))
    end = licence.valid_to.isoformat() if licence.valid_to else "长期"
    return [
        *rows,
        ("证照名称", licence.title + claim),
        ("持证人", licence.holder + claim),
        ("发证机关", authorities + claim),
        ("有效期", f"{licence.valid_from.isoformat()} 至 {end}"),
    ]


def _status_rows(report: VerificationReport) -> Rows:
    """The status, and why it is not valid."""
    rows, standing = [("证照状态", STATUS[report.status]), ("核对依据", SOURCE[report.checked_with])], report.standing
    if report.status == "valid":
        return rows
    if standing.since is not None:
        rows.append(("变更时间", _time(standing.since)))
    return rows + [(name, value) for name, value in (("理由", standing.reason), ("法律依据", standing.basis)) if value]


def _seal_rows(report: VerificationReport, seal: SignatureReport) -> Rows:
    rows = [("签章单位", seal.signer), ("签章级别", f"PAdES {seal.level}")]
    if seal.algorithm:
        rows.append(("签名算法", "国密 SM2/SM3，不按 EN 319 102-1 判定"))
    rows.append(("可信时间", _time(seal.time) if seal.time else "没有可信时间戳证明"))
    if len(report.signatures) > 1:
        sub = f"，{seal.sub_indication}" if seal.sub_indication else ""
        rows.append(("本枚印章", INDICATION[seal.indication] + sub))
    if seal.recognised:
        rows.append(("互认机构", seal.recognised))
    return rows


def _block(
    canvas: Canvas, x: float, y: float, value: str, size: float, width: float, colour: Colour, most: int = _MOST_LINES
) -> float:
    """Write wrapped text; returns the baseline of what comes below."""
    face = typeface(font(SERIF))
    shown = "".join(char if face.has(char) else "□" for char in value.replace("\n", " "))
    lines = canvas.wrap(shown, size, width, "serif")
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    step = size * 1.45 / PT
    for line in lines:
        canvas.text(x, y, line, size, key="serif", colour=colour)
        y += step
    return y + 0.8


def _time(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}（北京时间）"


def _assemble(canvas: Canvas) -> bytes:
    pdf = PdfFile()
    catalog, pages, page = pdf.reserve(), pdf.reserve(), pdf.reserve()
    fonts = {key: embed(pdf, face, subset) for key, (face, subset) in sorted(canvas.fonts().items())}
    content = pdf.stream(canvas.content())
    named = " ".join(f"/{key} {item} 0 R" for key, item in fonts.items())
    box = f"[0 0 {number(PAGE_MM[0] * PT)} {number(PAGE_MM[1] * PT)}]"
    pdf.put(pages, f"<< /Type /Pages /Kids [{page} 0 R] /Count 1 >>")
    pdf.put(
        page,
        f"<< /Type /Page /Parent {pages} 0 R /MediaBox {box} /Contents {content} 0 R "
        f"/Resources << /Font << {named} >> >> >>",
    )
    pdf.put(catalog, f"<< /Type /Catalog /Pages {pages} 0 R /Lang (zh-CN) >>")
    return pdf.save(catalog, hashlib.sha256(canvas.content()).digest()[:16])
