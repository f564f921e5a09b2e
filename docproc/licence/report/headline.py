"""The verdict on a file in one Chinese sentence for citizens."""

from __future__ import annotations

from docproc.domain import CHINA
from docproc.licence.page.record import NOTICE
from docproc.licence.report.report import Reason, VerificationReport

_WHY = {
    "REVOKED": "电子印章的证书在签章之前已被撤销",
    "REVOKED_NO_POE": "电子印章的证书已被撤销，不能证明签章在撤销之前",
    "REVOKED_CA_NO_POE": "颁发电子印章证书的机构的证书已被撤销",
    "NOT_YET_VALID": "电子印章在其证书生效之前使用",
    "EXPIRED": "电子印章的证书在签章之前已过期",
    "OUT_OF_BOUNDS_NO_POE": "电子印章的证书已不在有效期内，不能证明签章时有效",
    "NO_CERTIFICATE_CHAIN_FOUND": "电子印章的证书不是受信任的机构颁发的",
    "NO_POE": "归档时间戳已失效，文件没有按时续期，不能再证明签章时间",
    "SIG_CONSTRAINTS_FAILURE": "电子印章不能用于这份文件，例如它不属于证照所载的发证机关",
}
"""What a sub-indication of EN 319 102-1 means."""
_CHANGED = {
    "suspended": "已被暂停",
    "revoked": "已作废（依法撤销、撤回、吊销或者注销）",
    "superseded": "已被新证照取代",
    "expired": "已过有效期",
}
"""Why a licence is not in force."""
_UNJUDGED: dict[Reason, str] = {
    "no-signature": "文件没有电子印章，不是有效的电子证照。",
    "unreadable": "文件无法读取，不能核验；可能已损坏或没有下载完整，请重新取得文件后再试。",
    "encrypted": "文件已加密，不能核验；请向持证人索取签发机关发出的、没有加密的原文件。",
    "not-a-pdf": "这不是 PDF 文件，不能核验；请提交签发机关发出的 PDF 原文件。",
    "limit": "没有核验完成：核验这个文件超出了时间或大小的限度。这不说明文件的真伪，请稍后再试，或者用证照编号查询。",
}
"""What is said of a file that was not judged, and is not others'."""


def headline(report: VerificationReport) -> str:
    """What a verdict means."""
    if report.ok:
        return _of_good(report)
    if report.reason == "not-ours":
        return _of_others(report)
    if report.reason is not None:
        return _of_unjudged(report, report.reason)
    return _of_refused(report)


def _of_good(report: VerificationReport) -> str:
    if report.issued == "as-issued" and report.licence is not None and report.licence.kind == NOTICE:
        return "告知书真实有效：与出具机关的文件一致，电子印章有效。"
    if report.issued == "as-issued":
        return "证照真实有效：与登记机关签发的文件一致，电子印章有效。"
    foreign = report.recognised_by()
    if foreign:
        return f"电子印章有效，由互认机构“{foreign}”担保，文件未被改动；登记状态请向该证照的签发机关核对。"
    if report.checked_with == "status-list":
        return "电子印章有效，文件未被改动，状态清单中没有暂停、作废等记录。"
    return "电子印章有效，文件未被改动；未联网核对登记状态。"


def _of_others(report: VerificationReport) -> str:
    """What others signed may be genuine elsewhere; what bears our name and another's seal is a forgery."""
    if report.claimed:
        return "文件自称是本机关签发的证照，但签章不是本机关的：本机关没有签发过这个文件，请勿采信。"
    if report.checked_with == "register":
        return "不是本机关签发，无法核验：签章不是本机关的，本机关没有签发过这个文件，请向文件所称的签发机关核验。"
    return "不是受信任的机关签发，无法核验：签章不属于信任目录中的任何机关，请向文件所称的签发机关核验。"


def _of_unjudged(report: VerificationReport, reason: Reason) -> str:
    if reason == "limit" and report.issued == "as-issued" and report.status == "valid":
        return "电子印章没有核验完成，请稍后再试；文件与登记机关签发的文件逐字节一致，证照目前有效。"
    if report.issued != "unknown" and report.status in _CHANGED:
        return f"文件是登记机关签发的，但证照{_changed(report)}。"
    return _UNJUDGED[reason]


def _of_refused(report: VerificationReport) -> str:
    if report.integrity == "altered":
        return "文件已被改动或损坏，不是有效的电子证照。"
    if report.integrity == "extended":
        return "文件在签章之后被追加了内容，不能作为有效的电子证照，请向持证人索取原文件。"
    if report.indication != "TOTAL-PASSED":
        return _of_doubted_seal(report)
    if report.issued == "superseded" and report.status == "valid":
        return "电子印章有效，但这不是现行文件，登记机关已有更新的文件，请下载现行文件后使用。"
    if report.status in _CHANGED:
        whose = "文件是登记机关签发的，电子印章有效" if report.issued != "unknown" else "电子印章有效"
        return f"{whose}，但证照{_changed(report)}。"
    return "电子印章有效，但登记机关查不到这份文件或它不是现行版本，请勿采信。"


def _changed(report: VerificationReport) -> str:
    """Why the licence is not in force, and since which day in China."""
    since = report.standing.since
    if since is None:
        return _CHANGED[report.status]
    day = since.astimezone(CHINA)
    return f"已于{day.year}年{day.month}月{day.day}日{_CHANGED[report.status].removeprefix('已')}"


def _of_doubted_seal(report: VerificationReport) -> str:
    if report.holds():
        return (
            "文件带有国密 SM2/SM3 电子签名，签名和证书链核验相符，文件未被改动；"
            "此类签名不在本程序的判定标准（EN 319 102-1）之内，不能据此认定印章有效，请向签发机关核对。"
            + (f"证照{_changed(report)}。" if report.status in _CHANGED else "")
        )
    if report.is_national():
        return "文件带有国密 SM2/SM3 电子签名，但证书不受信任、已失效或不属于该发证机关，请勿采信，可向登记机关查询。"
    why = _WHY.get(report.sub_indication or "", "不能确认电子印章有效")
    if report.issued == "unknown":
        return f"{why}，请勿采信，可向登记机关查询。"
    if report.status in _CHANGED:
        return f"文件是登记机关签发的，但证照{_changed(report)}。"
    return f"文件与登记机关签发的文件逐字节一致，但{why}，请向登记机关索取现行文件。"
