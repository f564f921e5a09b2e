"""What photographs of a printed licence show beside the file that was issued; needs no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NotRequired, TypedDict

from docproc.domain import Box, Licence, base64_of, rounded
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import chinese_date
from docproc.licence.report.report import Standing, VerifiedLicence, VerifiedSignature
from docproc.read.printed.comparison import ComparedField, Comparison, Fact, PrintResult
from docproc.read.printed.photo import compare_print

Outcome = Literal[
    "same",
    "added",
    "unreadable",
    "incomplete",
    "differs",
    "not-shown",
    "no-code",
    "not-ours",
    "unknown-code",
    "other-address",
    "several-codes",
]
NOTE = "照片只能核对纸面内容，不能证明电子印章；正式核验请使用电子证照文件（PDF）。"
NOT_ASKED = Standing("unknown")
_SAID: dict[Outcome, str] = {
    "same": "照片中可核对的各项内容均与登记机关签发的一致",
    "added": "各项内容与签发的一致，但纸面上有签发文件中没有的字迹或痕迹，请人工查看",
    "incomplete": "照片没有拍全证照的各页，请把每一页都拍下，一并提交核对",
    "unreadable": "部分内容看不清，不能确认，请在光线均匀处正对证照重新拍摄",
    "differs": "纸面内容与登记机关签发的不一致，请勿采信",
    "not-shown": "照片中没有找到该二维码对应的证照版面，请完整拍下证照；若已拍全，则纸面不是这份证照，请勿采信",
    "no-code": "照片中没有读到本机关证照的二维码，请完整、清晰地拍下证照；没有二维码的证照不是本机关签发，无法核验",
    "not-ours": "不是本机关签发，无法核验：二维码不是本机关证照的二维码，请向纸面所称的机关核验；自称本机关的请勿采信",
    "unknown-code": "二维码指向本站，但登记机关没有签发过这份证照，请勿采信",
    "other-address": "二维码指向的网址与签发时不同，可能是假冒网站，请勿采信，也不要打开该网址",
    "several-codes": "照片中有不止一个证照二维码，请每次只拍一份证照",
}
_STATUS: dict[str, str] = {
    "suspended": "该证照已被暂停",
    "revoked": "该证照已作废（依法撤销、撤回、吊销或者注销）",
    "superseded": "该证照已被新证照取代",
    "expired": "该证照已过有效期",
    "unknown": "没有核对该证照的现时状态",
}


class PrintedField(TypedDict):
    """One field of a printed licence beside what was issued."""

    name: str
    label: str
    result: PrintResult
    issued: str
    read: str
    confidence: float
    page: int | None
    box: list[float] | None
    shown: NotRequired[str]
    """JPEG in Base64, as the next one; only where something differs."""
    as_issued: NotRequired[str]


class AddedInk(TypedDict):
    """Ink where the issued page has none."""

    box: list[float]
    shown: str


class PrintComparison(TypedDict):
    """A print beside the issued file."""

    outcome: Outcome
    note: str
    fields: list[PrintedField]
    missing_pages: list[int]
    added: list[AddedInk]


class PhotoVerification(TypedDict):
    """What a photograph of a printed licence shows, under the keys of a file's verdict."""

    ok: bool
    kind: Literal["photograph"]
    indication: Literal["NO-SIGNATURE"]
    sub_indication: None
    integrity: None
    reason: Literal["not-ours"] | None
    issued: Literal["unknown"]
    licence: VerifiedLicence
    signatures: list[VerifiedSignature]
    print: PrintComparison
    headline: str


@dataclass(frozen=True, slots=True, eq=False)
class PrintReport:
    """What a photograph of a printed licence shows."""

    outcome: Outcome
    number: str | None = None
    standing: Standing = NOT_ASKED
    fields: tuple[ComparedField, ...] = ()
    added: tuple[tuple[Box, bytes], ...] = ()
    missing: tuple[int, ...] = ()
    """0-based pages of the licence that no photograph shows."""
    reissued: bool = False
    """The licence has former versions, of which the paper may be one."""

    @property
    def ok(self) -> bool:
        """Everything could be read and agrees, nothing was added, and the licence is in force."""
        return self.outcome == "same" and self.standing.status == "valid"

    def headline(self) -> str:
        """One sentence for citizens, in Chinese."""
        told = _SAID[self.outcome]
        if self.missing:
            told += f"（缺第{'、'.join(str(page + 1) for page in self.missing)}页）"
        if self.outcome == "differs" and self.reissued:
            told += "；该证照换发过，纸面可能是旧版本"
        status = _STATUS.get(self.standing.status, "") if self.number else ""
        if self.ok:
            return f"{told}，证照目前有效。"
        return f"{status}；{told}。" if status else f"{told}。"

    def to_json(self) -> PhotoVerification:
        """The keys of a file's verdict, and ``print`` with the comparison; pictures are JPEG in Base64."""
        since = self.standing.since
        return {
            "ok": self.ok,
            "kind": "photograph",
            "indication": "NO-SIGNATURE",
            "sub_indication": None,
            "integrity": None,
            "reason": "not-ours" if self.outcome == "not-ours" else None,
            "issued": "unknown",
            "licence": {
                "number": self.number,
                "status": self.standing.status,
                "since": since.isoformat() if since else None,
                "reason": self.standing.reason,
                "basis": self.standing.basis,
            },
            "signatures": [],
            "print": {
                "outcome": self.outcome,
                "note": NOTE,
                "fields": [_field(item) for item in self.fields],
                "missing_pages": [page + 1 for page in self.missing],
                "added": [{"box": rounded(box), "shown": base64_of(shown)} for box, shown in self.added],
            },
            "headline": self.headline(),
        }


def compared(photos: Sequence[bytes], issued: bytes, licence: Licence, standing: Standing, code: str) -> PrintReport:
    """Compare photographs with an issued file whose seal and licence are known to be ours; ``code`` is its QR code."""
    begun = PrintReport("other-address", licence.number, standing, reissued=licence.version > 1)
    if code != licence.verify_url:
        return begun
    found = compare_print(photos, issued, facts_of(licence))
    if not found.registered:
        return replace(begun, outcome="not-shown")
    return replace(begun, outcome=_outcome(found), fields=found.fields, added=found.added, missing=found.missing)


def _outcome(found: Comparison) -> Outcome:
    results = {item.result for item in found.fields}
    if "differs" in results:
        return "differs"
    if found.missing:
        return "incomplete"
    if "unreadable" in results or not found.fields:
        return "unreadable"
    return "added" if found.added else "same"


def facts_of(licence: Licence) -> tuple[Fact, ...]:
    """What may be printed on a licence, as it is printed."""
    labels = {name: label for name, label, _ in licence.fields} | load_layout(licence.kind).labels
    plain: Sequence[tuple[str, str, str]] = (
        ("number", "证照编号", licence.number),
        ("holder", "持证人", licence.holder),
        *licence.fields,
        ("valid_from", "有效期自", chinese_date(licence.valid_from)),
        ("valid_to", "有效期至", chinese_date(licence.valid_to)),
        ("authority", "发证机关", licence.authority),
        ("issued_on", "签发日期", chinese_date(licence.issued_on)),
        ("identifier", "电子证照标识", licence.identifier),
    )
    return tuple(Fact(name, labels.get(name, label), value) for name, label, value in plain if value)


def _field(item: ComparedField) -> PrintedField:
    told: PrintedField = {
        "name": item.fact.name,
        "label": item.fact.label,
        "result": item.result,
        "issued": item.fact.value,
        "read": item.read,
        "confidence": round(item.confidence, 4),
        "page": item.photo,
        "box": rounded(item.box) if item.box is not None else None,
    }
    if item.result == "same":
        return told
    return {**told, "shown": base64_of(item.shown), "as_issued": base64_of(item.issued)}
