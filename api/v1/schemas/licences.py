"""证照: what is known of licences, verdicts on files and photographs, orders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.v1.schemas.base import Request, Text
from docproc.flow.licences.bulk import MAX_NUMBERS


class LicenceChange(Request):
    """A change of a licence's status."""

    action: Literal["suspend", "restore", "revoke"]
    reason: Text = Field(description="In Chinese; becomes public with the status list")
    basis: Text = Field(description="Legal basis, in Chinese; becomes public with the status list")


class NewVersion(Request):
    """An order for a new version of a licence."""

    action: Literal["correct", "reissue"]
    changes: dict[Annotated[str, Field(max_length=60)], Text] = Field(
        default_factory=dict, max_length=60, description="Corrected fields by name; `holder` is the holder's name"
    )
    reason: Text = Field(description="In Chinese")
    basis: Text = Field(description="Legal basis, in Chinese")


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
    integrity: Literal["intact", "extended", "altered", "unknown"] = Field(
        description="`altered` only where bytes that were signed were changed; `unknown` where `reason` says why"
    )
    reason: Literal["not-ours", "no-signature", "unreadable", "encrypted", "not-a-pdf", "limit"] | None = Field(
        description="Why the file was not judged as a licence of ours; null where it was. `limit`: checking it took "
        "more than is allowed, which says nothing about the file; try again"
    )
    issued: Literal["as-issued", "superseded", "unknown"]
    licence: VerifiedLicence
    signatures: list[VerifiedSignature]
    ours: bool = Field(description="Proven to be issued by us or a recognised authority, in force or not")
    claimed: bool = Field(description="Others sealed it, and it says that it is a licence of ours: a forgery")
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


class Numbers(Request):
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
        "not-ours",
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
    reason: Literal["not-ours"] | None = Field(description="`not-ours`: the QR code is no licence's of ours")
    issued: Literal["unknown"]
    licence: VerifiedLicence
    signatures: list[VerifiedSignature]
    print: PrintComparison
    headline: str = Field(description="One sentence in Chinese")
