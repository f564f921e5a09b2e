"""Bodies of requests and answers. Names and meanings are those of :mod:`docproc.domain`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from docproc.canonical import JsonObject
from docproc.flow.core.access import Role
from docproc.flow.licences.bulk import MAX_NUMBERS

Text = Annotated[str, Field(max_length=2000)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewApplication(_Request):
    """What to apply for."""

    matter: str = Field(description="Id of a matter", examples=["food_licence"])
    channel: Literal["kiosk", "counter", "web", "api", "batch"] = Field(
        "api", description="How it comes in; `batch` is served after everybody who waits"
    )


class Version(_Request):
    """The version that was seen."""

    version: int = Field(description="`version` of the application as it was seen", ge=1)


class NewDecision(Version):
    """A decision and what it is based on."""

    action: Literal["approve", "return", "reject"]
    content_sha256: str = Field(
        description="`content_sha256` of the application as it was seen", pattern="^[0-9a-f]{64}$"
    )
    reason: Text = Field("", description="In Chinese, to the applicant; needed unless approved without set_aside")
    basis: Text = Field("", description="Legal basis")
    set_aside: list[Annotated[str, Field(max_length=60)]] = Field(
        default_factory=list, max_length=100, description="Codes of `fix` findings in spite of which it is approved"
    )


class Correction(_Request):
    """A value that a person read from the paper."""

    value: Text


class LicenceChange(_Request):
    """A change of a licence's status."""

    action: Literal["suspend", "restore", "revoke"]
    reason: Text = Field(description="In Chinese; becomes public with the status list")
    basis: Text = Field(description="Legal basis, in Chinese; becomes public with the status list")


class NewVersion(_Request):
    """An order for a new version of a licence."""

    action: Literal["correct", "reissue"]
    changes: dict[Annotated[str, Field(max_length=60)], Text] = Field(
        default_factory=dict, max_length=60, description="Corrected fields by name; `holder` is the holder's name"
    )
    reason: Text = Field(description="In Chinese")
    basis: Text = Field(description="Legal basis, in Chinese")


class NewKey(_Request):
    """For whom a key is."""

    subject: str = Field(description="Person or machine; separate duties go by it", examples=["li.na"])
    org: str = Field(description="Organisation whose applications it may see", examples=["shuangliu"])
    roles: list[Role] = Field(min_length=1)


class FieldView(BaseModel):
    """One value read from one place; see `confidence` and `source` before trusting it."""

    name: str
    value: str | None = Field(description="Normalised; null when the machine abstains; empty when blank")
    raw: str = Field(description="As on the paper")
    confidence: float
    box: tuple[float, float, float, float] | None = Field(description="Pixels of the page as handed in")
    page: int
    source: Literal["ocr", "repair", "registry", "person"] = Field(
        description="`repair`: one of several near readings, told by a check digit, by what people mostly write there, "
        "or by another paper of the application"
    )
    alternatives: list[str]


class FindingView(BaseModel):
    """One thing that is missing, wrong or worth a look."""

    code: str
    severity: Literal["block", "fix", "warn", "info"]
    message: str = Field(description="To the citizen, in Chinese")
    material: str | None = None
    field: str | None = None
    basis: str = ""
    page_id: str | None = Field(None, description="The file it is about, where it is about one")


class QualityView(BaseModel):
    """Whether a page is good enough to be read."""

    verdict: Literal["good", "rescan"]
    findings: list[FindingView]


class ReadingView(BaseModel):
    """What one page of a file says."""

    index: int = Field(description="0-based page inside the file")
    material: str | None
    how: Literal["registered", "matched", "free"] = Field(
        description="A form laid by its corner marks, by its print where the marks are lost, or any page by its words"
    )
    quality: QualityView
    fields: list[FieldView]
    page: int
    edition: str | None
    form_id: str | None
    cpu_seconds: float


class PreviewView(BaseModel):
    """A picture of one page for the screen."""

    index: int = Field(description="0-based page inside the file")
    width: int = Field(description="Pixels of the page as handed in, the measure of `box`")
    height: int


class PageView(BaseModel):
    """An uploaded file."""

    id: str
    position: int
    filename: str
    media_type: str
    size: int = Field(description="Bytes")
    sha256: str
    material_hint: str | None
    state: Literal["queued", "read", "failed"]
    error_code: str | None
    uploaded_at: datetime
    readings: list[ReadingView]
    previews: list[PreviewView] = Field(description="Empty until a worker drew them")


class DecisionView(BaseModel):
    """What an official decided."""

    id: str
    action: Literal["approve", "return", "reject"]
    by: str
    at: datetime
    on_version: int
    reason: str
    basis: str
    set_aside: list[str]
    released_by: str | None
    released_at: datetime | None


class OpinionView(BaseModel):
    """What a department of a joint approval says."""

    org: str
    name: str
    duty: str
    action: Literal["approve", "return", "reject"] | None = Field(description="null until it gave its opinion")
    outdated: bool = Field(description="Its papers changed since: it is asked again")
    at: datetime | None
    by: str | None = Field(description="null for departments that do not see all papers, except on their own")
    reason: str
    basis: str


class SealState(BaseModel):
    """Where the licence is between approval and seal."""

    state: Literal["none", "awaiting_release", "queued", "waiting", "failed", "sealed"]
    note: str = Field(description="Why it is not sealed yet, in Chinese")


class ApplicationSummary(BaseModel):
    """办件 in a list."""

    number: str = Field(examples=["510116-FL-20261123-000123"])
    matter: str
    status: Literal["draft", "submitted", "accepted", "returned", "approved", "issued", "rejected", "withdrawn"]
    status_zh: str
    version: int = Field(description="Rises with each change of status; decisions name it")
    checked: bool = Field(description="Every file is read, and findings and verdict belong to what is there now")
    verdict: Literal["pass", "supplement", "rescan"] | None = Field(description="null until checked")
    channel: str
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    seal: SealState


class OriginalPaper(_Request):
    """A kind of paper that is left at the counter."""

    material: str = Field(max_length=60)
    copies: int = Field(1, ge=1, le=100)


class Originals(_Request):
    """Originals that are left at the counter."""

    items: list[OriginalPaper] = Field(min_length=1, max_length=100)
    note: str = Field("", max_length=500)


class Receiver(_Request):
    """Who gets papers back."""

    to: str = Field(min_length=1, max_length=80, description="Name, as on the identity card that was shown")


class Pickup(Receiver):
    """Who gets the printed licence."""

    code: str = Field(max_length=20, description="Pick-up code, which the applicant sees at the follow address")


class ComparedPage(_Request):
    """A scanned page, and what was found when its paper lay beside it."""

    page_id: str = Field(max_length=32)
    index: int = Field(0, ge=0, le=10_000)
    result: Literal["match", "mismatch", "absent"]
    scanned: str = Field("", max_length=200, description="Text of the paper's own QR code, where it has one")
    note: str = Field("", max_length=500, description="What differs; needed for a mismatch")


class Comparison(_Request):
    """Paper against scans."""

    pages: list[ComparedPage] = Field(min_length=1, max_length=500)


class PaperSpot(BaseModel):
    """A place where paper and scan differ."""

    kind: Literal["added", "missing", "changed", "unseen"] = Field(
        description="`added`: on the paper alone; `missing`: on the scan alone; `unseen`: not in its picture"
    )
    box: list[float] = Field(description="Pixels of the scan as handed in")
    scan: str = Field(description="JPEG in Base64")
    paper: str = Field(description="JPEG in Base64 of the same place")


class CheckedPage(BaseModel):
    """A scanned page, and what its paper shows."""

    page_id: str
    index: int
    material: str | None
    outcome: Literal["same", "differs", "unclear", "other_print", "absent"] = Field(
        description="`unclear`: blurred, or not the whole page is seen; `other_print`: another print-out by its QR code"
    )
    serial: str = Field(description="Of the print-out, by the paper's QR code; empty where it has none")
    places: int = Field(description="How many places differ; the largest are in `spots`")
    sheet: int | None = Field(description="Sheet of the paper, from 1, counted over all files")
    spots: list[PaperSpot]


class PapersCheck(BaseModel):
    """What holding paper against the scans gave."""

    sheets: list[CheckedPage]
    left: list[int] = Field(description="Sheets of the paper, from 1, that belong to no scan")


class CustodyStep(BaseModel):
    """One step in the way of papers over the counter."""

    id: int
    kind: Literal["received", "returned", "checked", "compared", "handed_over", "refused"]
    receipt: str | None = Field(description="Number of the receipt for originals")
    by: str
    at: datetime
    detail: JsonObject


class NoticeView(BaseModel):
    """How far the sealing of a 一次性告知书 is."""

    number: str
    state: Literal["queued", "waiting", "sealed", "failed", "erased"]
    note: str = Field(description="Why it is not sealed yet, in Chinese")
    sealed_at: datetime | None


class ApplicationView(ApplicationSummary):
    """办件 with everything about it."""

    follow_code: str = Field(description="Unguessable word of the address `/p/…` to follow it without signing in")
    content_sha256: str = Field(description="Hash of all that is shown here; a decision names it")
    pages: list[PageView]
    findings: list[FindingView]
    opinions: list[OpinionView] = Field(description="Joint approval: every department; else empty")
    decisions: list[DecisionView]
    papers: Literal["match", "mismatch", "absent"] | None = Field(
        description="What the last comparison of paper with the scans found"
    )
    notice: NoticeView | None = Field(description="The newest 一次性告知书, once the application was returned")
    licence: str | None = Field(description="Number of the licence once it is sealed")


class PublicLicence(BaseModel):
    """What anyone may know of a licence."""

    number: str
    title: str
    holder: str
    authority: str
    issued_on: date
    valid_from: date
    valid_to: date | None
    status: Literal["valid", "expired", "suspended", "revoked", "superseded"]
    status_zh: str
    version: int


class LicenceField(BaseModel):
    """One line of a licence."""

    name: str
    label: str
    value: str


class LicenceEvent(BaseModel):
    """One change of status."""

    status: str
    by: str
    at: datetime
    reason: str
    basis: str


class LicenceView(PublicLicence):
    """A licence with fields and history, for officials."""

    application: str
    code: str
    sha256: str
    sealed_at: datetime
    fields: list[LicenceField]
    history: list[LicenceEvent]


class OrderedVersion(BaseModel):
    """A new version that the sealer will make."""

    number: str
    version: int
    action: Literal["correct", "reissue"]
    state: Literal["queued", "waiting", "failed", "sealed"]


class VerifiedLicence(BaseModel):
    """The licence that a file claims to be."""

    number: str | None
    status: Literal["valid", "suspended", "revoked", "superseded", "expired", "unknown"]
    since: datetime | None = Field(description="When the status came to be so")
    reason: str
    basis: str


class VerifiedSignature(BaseModel):
    """One seal in a file."""

    signer: str
    level: str
    time: datetime | None
    coverage: str
    recognised: str | None = Field(description="Other department's authority that vouches for the seal")
    indication: str = Field(description="Of this seal alone (EN 319 102-1); the file is as good as its worst seal")
    sub_indication: str | None
    algorithm: str | None = Field(description="`SM2`: a seal by the national algorithms, not judged by EN 319 102-1")


class Verification(BaseModel):
    """The verdict on a file: is the seal good (EN 319 102-1), and is it what was issued."""

    ok: bool
    indication: Literal["TOTAL-PASSED", "INDETERMINATE", "TOTAL-FAILED", "NO-SIGNATURE"]
    sub_indication: str | None
    integrity: Literal["intact", "extended", "altered"]
    issued: Literal["as-issued", "superseded", "unknown"]
    licence: VerifiedLicence
    signatures: list[VerifiedSignature]
    headline: str = Field(description="One sentence in Chinese")


class VerifiedFile(BaseModel):
    """The verdict on one file of many."""

    file: str
    ok: bool
    verdict: Verification | None = Field(description="Null when the file could not be judged")
    problem: str | None = Field(description="Code of the error then")
    headline: str


class VerifiedFiles(BaseModel):
    """Verdicts on many files, in their order."""

    ok: bool = Field(description="All are good")
    total: int
    good: int
    results: list[VerifiedFile]


class Numbers(_Request):
    """Licence numbers to look up."""

    numbers: list[Annotated[str, Field(max_length=60)]] = Field(min_length=1, max_length=MAX_NUMBERS)


class KnownNumber(BaseModel):
    """What the register says of one number of many."""

    number: str
    ok: bool = Field(description="A licence of this number is in force")
    licence: PublicLicence | None
    problem: str | None
    headline: str


class KnownNumbers(BaseModel):
    """What the register says of many numbers, in their order."""

    ok: bool
    total: int
    good: int
    results: list[KnownNumber]


class PrintedField(BaseModel):
    """One field of a printed licence beside what was issued."""

    name: str
    label: str
    result: Literal["same", "differs", "unreadable"]
    issued: str
    read: str = Field(description="What the print says, as far as it was read")
    confidence: float
    page: int | None = Field(description="0-based page, counted over all photographs")
    box: list[float] | None = Field(description="Pixels of that page")
    shown: str | None = Field(None, description="JPEG in Base64 of the print; null where nothing differs")
    as_issued: str | None = Field(None, description="JPEG in Base64 of the same place as it was issued")


class AddedInk(BaseModel):
    """Ink where the issued page has none."""

    box: list[float]
    shown: str = Field(description="JPEG in Base64")


class PrintComparison(BaseModel):
    """A print beside the issued file."""

    outcome: Literal[
        "same",
        "added",
        "unreadable",
        "incomplete",
        "differs",
        "not-shown",
        "no-code",
        "unknown-code",
        "other-address",
        "several-codes",
    ]
    note: str = Field(description="In Chinese: what a photograph cannot prove")
    fields: list[PrintedField]
    missing_pages: list[int] = Field(description="Pages of the licence, from 1, that no photograph shows")
    added: list[AddedInk]


class PhotoVerification(BaseModel):
    """What a photograph of a printed licence shows; it proves no seal."""

    ok: bool = Field(description="All fields read and the same, nothing added, and the licence in force")
    kind: Literal["photograph"]
    indication: Literal["NO-SIGNATURE"]
    sub_indication: None
    integrity: None
    issued: Literal["unknown"]
    licence: VerifiedLicence
    signatures: list[VerifiedSignature]
    print: PrintComparison
    headline: str = Field(description="One sentence in Chinese")


class KeyView(BaseModel):
    """An API key without its secret."""

    id: str
    subject: str
    org: str
    roles: list[str]
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    seen_at: datetime | None = Field(None, description="Last use, to the minute")


class CreatedKey(KeyView):
    """A new API key; `key` is shown this once, and is null in the answer to a repeated request."""

    key: str | None


class AuditLine(BaseModel):
    """One line of the audit log, chained by hashes."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: JsonObject
    previous: str
    sha256: str


class AuditCheck(BaseModel):
    """Whether the chain is whole."""

    ok: bool
    first_broken: int | None


class EventView(BaseModel):
    """One event; the webhook gets the same body."""

    id: int
    topic: str
    subject: str
    at: datetime
    body: JsonObject


class MaterialView(BaseModel):
    """A paper that a matter asks for."""

    id: str
    name: str
    kind: Literal["form", "free"]
    required: bool
    conditional: bool = Field(description="Needed only in some cases")
    sides: int
    form_url: str | None = Field(description="Where the blank form is, for materials that are forms")


class MatterSummary(BaseModel):
    """A matter in the catalogue."""

    id: str
    name: str
    authority: str
    status: Literal["active", "retired"]


class MatterView(MatterSummary):
    """办事指南: what a matter asks for."""

    guide: list[str]
    fee: str
    accept_days: int = Field(description="Working days")
    decide_working_days: int
    basis: list[str]
    materials: list[MaterialView]


class ByTwoPersons(BaseModel):
    """A change that one person proposes and another confirms or refuses."""

    id: str
    reason: str
    state: Literal["open", "confirmed", "refused"]
    proposed_by: str
    proposed_at: datetime
    closed_by: str | None
    closed_at: datetime | None


class Confirmation(BaseModel):
    """The second person's word."""

    confirm: bool
