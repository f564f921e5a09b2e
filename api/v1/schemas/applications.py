"""办件: what is asked for, and everything about an application."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.v1.schemas.base import Request, Text


class NewApplication(Request):
    """What to apply for."""

    matter: str = Field(description="Id of a matter", examples=["food_licence"])
    channel: Literal["kiosk", "counter", "web", "api", "batch"] = Field(
        "api", description="How it comes in; `batch` is served after everybody who waits"
    )


class Version(Request):
    """The version that was seen."""

    version: int = Field(description="`version` of the application as it was seen", ge=1, le=2**31 - 1)


class NewDecision(Version):
    """A decision and what it is based on."""

    action: Literal["approve", "return", "reject"]
    content_sha256: str = Field(
        description="`content_sha256` of the application as it was seen", pattern="^[0-9a-f]{64}$"
    )
    reason: Text = Field("", description="In Chinese, to the applicant; needed unless approved without set_aside")
    basis: Text = Field("", description="Legal basis")
    set_aside: list[Annotated[str, Field(max_length=60)]] = Field(
        default_factory=list,
        max_length=100,
        description="Codes of `fix` and `look` findings in spite of which it is approved; never a missing paper",
    )
    confirmed: list[Annotated[str, Field(max_length=60)]] = Field(
        default_factory=list,
        max_length=100,
        description="Materials that only a person named (`claimed`), each looked at by the official; an approval needs "
        "every one that the official sees",
    )


class PageMaterial(Request):
    """What a person says a page is."""

    material: str | None = Field(
        description="Id of a material of the matter; null: none of its papers", max_length=60, examples=["idcard"]
    )
    page: int = Field(1, description="Page or side of the material: 2 is the back of a card", ge=1, le=1000)


class Correction(Request):
    """A value that a person enters for a field."""

    value: Text
    kind: Literal["misread", "changed"] | None = Field(
        None,
        description="`misread`: the paper says this, and the machine read it wrongly; `changed`: the applicant wrote "
        "something else. Needed where the reading was certain (422 `correction_kind`)",
    )


class ChangeView(BaseModel):
    """A value that an official put in place of what the applicant wrote."""

    page_id: str
    index: int = Field(description="0-based page inside the file")
    material: str | None
    field: str
    label: str = Field(description="Paper and field, in Chinese")
    written: str | None = Field(description="By the applicant; null once it was erased by rule")
    value: str | None = Field(description="In its place; null once it was erased by rule")
    by: str
    at: datetime


class PaperSealView(BaseModel):
    """A seal found on paper whose name was looked for."""

    text: str = Field(description="The name along its rim, as read; empty where it could not be")
    confidence: float = Field(description="0..1")
    box: tuple[float, float, float, float] = Field(description="Of its rim, pixels of the page as handed in")
    shape: Literal["round", "oval"]


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
    seals: list[PaperSealView] = Field(description="Of the field of a seal whose name a rule asks for")


class FindingView(BaseModel):
    """One thing that is missing, wrong or worth a look."""

    code: str
    severity: Literal["block", "fix", "warn", "info"]
    message: str = Field(description="To the citizen, in Chinese")
    material: str | None = None
    field: str | None = None
    basis: str = ""
    look: bool = Field(
        False, description="A person must settle it before an approval: it would forbid one if the machine were sure"
    )
    page_id: str | None = Field(None, description="The file it is about, where it is about one")


class QualityView(BaseModel):
    """Whether a page is good enough to be read."""

    verdict: Literal["good", "rescan"]
    findings: list[FindingView]


class SaidView(BaseModel):
    """What a person said last that a page is."""

    material: str | None = Field(description="null: none of the matter's papers")
    page: int
    by: str
    at: datetime


class Remark(Request):
    """What a citizen says of a value: it was read wrongly."""

    said: str = Field("", max_length=500, description="What should stand there; a remark, never taken as the value")


class RemarkView(BaseModel):
    """A citizen's remark on a value."""

    page_id: str
    index: int = Field(description="0-based page inside the file")
    material: str | None
    field: str
    label: str = Field(description="Paper and field, in Chinese")
    said: str = Field(description="What should stand there in the citizen's words; may be empty")
    by: str
    at: datetime
    settled: bool = Field(description="An official corrected or confirmed the value since")


class ReadingView(BaseModel):
    """What one page of a file says."""

    index: int = Field(description="0-based page inside the file")
    material: str | None = Field(description="null: not recognised or, where `claimed`, none of the matter's papers")
    claimed: bool = Field(
        description="`material` is what a person said, and the reader did not recognise it: "
        "a reviewer confirms it by name before an approval"
    )
    said: SaidView | None = Field(description="Where a person named the page")
    how: Literal["registered", "matched", "free"] = Field(
        description="A form laid by its corner marks, by its print where the marks are lost, or any page by its words"
    )
    quality: QualityView
    fields: list[FieldView]
    page: int
    edition: str | None
    form_id: str | None
    sheet: int = Field(description="Of the sheets that this page of the form was printed on; rows go on from the last")
    sheets: int
    cpu_seconds: float
    turn: Literal[0, 90, 180, 270] | None = Field(
        None, description="Degrees clockwise by which the page is turned to stand upright; null: not known"
    )


class FirstWordFinding(BaseModel):
    """Something that a first look found."""

    code: str
    severity: Literal["block", "fix", "warn", "info"]
    message: str


class FirstWordView(BaseModel):
    """A page's quality at first sight."""

    verdict: Literal["good", "rescan"]
    findings: list[FirstWordFinding]


class PreviewView(BaseModel):
    """A picture of one page for the screen."""

    index: int = Field(description="0-based page inside the file")
    width: int = Field(description="Pixels of the page as handed in, the measure of `box`")
    height: int
    first_word: FirstWordView | None = Field(
        description="What is wrong with the page at first sight, moments after it came; its reading decides"
    )


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
    confirmed: list[str] = Field(
        description="Materials that no reader recognised and that the official confirmed by name"
    )
    changed: list[ChangeView] = Field(description="What an approval rests on in place of what the applicant wrote")
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
    confirmed: list[str] = Field(description="Materials that it confirmed by name, of those that only a person named")


class SealState(BaseModel):
    """Where the licence is between approval and seal."""

    state: Literal["none", "awaiting_release", "unconfirmed", "queued", "waiting", "failed", "sealed"]
    note: str = Field(description="Why it is not sealed yet, in Chinese")


class ApplicationSummary(BaseModel):
    """办件 in a list."""

    number: str = Field(examples=["510116-FL-20261123-000123"])
    matter: str
    status: Literal["draft", "submitted", "accepted", "returned", "approved", "issued", "rejected", "withdrawn"]
    status_zh: str
    version: int = Field(description="Rises with each change of status; decisions name it")
    checked: bool = Field(description="Every file is read, and findings and verdict belong to what is there now")
    verdict: Literal["pass", "look", "supplement", "rescan"] | None = Field(
        description="null until checked. `rescan`: a page cannot be read. `supplement`: something is missing or wrong. "
        "`look`: a person must settle something first, such as a page that was not recognised and may be a missing "
        "paper. `pass`: nothing prevents a decision"
    )
    channel: str
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    seal: SealState


class NoticeView(BaseModel):
    """How far the sealing of a 一次性告知书 is."""

    number: str
    state: Literal["queued", "waiting", "sealed", "failed", "erased"]
    note: str = Field(description="Why it is not sealed yet, in Chinese")
    sealed_at: datetime | None


class ApplicationView(ApplicationSummary):
    """办件 with everything about it."""

    follow_code: str = Field(
        description="Unguessable word of the address `/p/…` to follow it without signing in; told to who handed it in"
    )
    content_sha256: str = Field(description="Hash of all that is shown here; a decision names it")
    pages: list[PageView]
    findings: list[FindingView]
    changes: list[ChangeView] = Field(description="What stands now in place of what the applicant wrote")
    remarks: list[RemarkView] = Field(description="What the citizen said of values that were read")
    opinions: list[OpinionView] = Field(description="Joint approval: every department; else empty")
    decisions: list[DecisionView]
    papers: Literal["match", "mismatch", "absent"] | None = Field(
        description="What the last comparison of paper with the scans found"
    )
    notice: NoticeView | None = Field(description="The newest 一次性告知书, once the application was returned")
    licence: str | None = Field(description="Number of the licence once it is sealed")
    licence_status: Literal["valid", "suspended", "revoked", "superseded"] | None = Field(
        description="Of that licence, by orders on it; its term may be over besides"
    )
