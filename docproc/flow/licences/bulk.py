"""Many licences in one call, for relying parties: by file and by number, bounded, each item with its own answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from docproc.errors import DocprocError, InputError, LimitError, NotFoundError
from docproc.flow.core import reads
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.views import PublicLicence
from docproc.flow.licences.licences import licence_by_number
from docproc.flow.licences.verification import Verification, verify_file

MAX_FILES = 50
"""About a minute of work; the whole request is bounded like one upload."""
MAX_NUMBERS = 500


class VerifiedFile(TypedDict):
    """The verdict on one file of many."""

    file: str
    ok: bool
    verdict: Verification | None
    problem: str | None
    headline: str


class VerifiedFiles(TypedDict):
    """Verdicts on many files, in their order."""

    ok: bool
    total: int
    good: int
    results: list[VerifiedFile]


class KnownNumber(TypedDict):
    """What the register says of one number of many."""

    number: str
    ok: bool
    licence: PublicLicence | None
    problem: str | None
    headline: str


class KnownNumbers(TypedDict):
    """What the register says of many numbers, in their order."""

    ok: bool
    total: int
    good: int
    results: list[KnownNumber]


def verify_many(ctx: Context, caller: Caller, files: Sequence[tuple[str, bytes]]) -> VerifiedFiles:
    """Verdicts on many files, (name, bytes) each, in the order given; one that cannot be judged does not stop the rest.

    Raises:
        AccessError: no role of the caller verifies in bulk.
        InputError: no file.
        LimitError: more than :data:`MAX_FILES`.
    """
    check_files(caller, files)
    return summary([verified_file(ctx, name, data) for name, data in files])


def check_files(caller: Caller, files: Sequence[tuple[str, bytes]]) -> None:
    """Who verifies many files, and how many; raises as :func:`verify_many`."""
    caller.require("verify_many")
    _bounded(len(files), MAX_FILES, "files", f"每次请提交 1 至 {MAX_FILES} 个文件")


def summary(results: list[VerifiedFile]) -> VerifiedFiles:
    """The answer of :func:`verify_many`."""
    good = sum(item["ok"] for item in results)
    return {"ok": good == len(results), "total": len(results), "good": good, "results": results}


def look_up_many(ctx: Context, caller: Caller, numbers: Sequence[str]) -> KnownNumbers:
    """What the register says of many numbers, in the order given; raises as :func:`verify_many`."""
    caller.require("verify_many")
    _bounded(len(numbers), MAX_NUMBERS, "numbers", f"每次请提交 1 至 {MAX_NUMBERS} 个证照编号")
    results = [_known(ctx, number) for number in numbers]
    reads.note(caller, "look_up", f"{len(numbers)} numbers")
    good = sum(item["ok"] for item in results)
    return {"ok": good == len(results), "total": len(results), "good": good, "results": results}


def _known(ctx: Context, number: str) -> KnownNumber:
    try:
        found = licence_by_number(ctx, number.strip().upper())
    except NotFoundError as error:
        return {"number": number, "ok": False, "licence": None, "problem": None, "headline": error.message_zh}
    good = found["status"] == "valid"
    headline = f"登记状态：{found['status_zh']}"
    return {"number": number, "ok": good, "licence": found, "problem": None, "headline": headline}


def unverified(name: str, error: DocprocError) -> VerifiedFile:
    """A file without a verdict."""
    return {"file": name, "ok": False, "verdict": None, "problem": error.code, "headline": error.message_zh}


def verified_file(ctx: Context, name: str, data: bytes) -> VerifiedFile:
    """One file of :func:`verify_many`."""
    try:
        found = verify_file(ctx, data)
    except DocprocError as error:
        return unverified(name, error)
    return {"file": name, "ok": found["ok"], "verdict": found, "problem": None, "headline": found["headline"]}


def _bounded(count: int, most: int, what: str, message_zh: str) -> None:
    if count < 1:
        raise InputError(f"no {what}: send files as multipart/form-data, numbers as JSON", message_zh=message_zh)
    if count > most:
        raise LimitError(f"{count} {what}, at most {most}", message_zh=message_zh, code=f"too_many_{what}")
