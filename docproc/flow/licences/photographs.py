"""Verifying a printed licence by photograph: QR code, register, and the print beside what was issued."""

from __future__ import annotations

import re
from collections.abc import Sequence

from docproc.canonical import canonical_json
from docproc.domain import Licence
from docproc.errors import InputError, LimitError, NotFoundError
from docproc.flow.core.context import Context
from docproc.flow.licences.print_report import NOT_ASKED, Outcome, PhotoVerification, PrintReport, compared
from docproc.flow.licences.verification import StoredRegister
from docproc.licence.page.record import parse_licence_json
from docproc.read.printed.photo import MAX_ALL_BYTES, MAX_BYTES, MAX_PHOTOS, TOO_MANY, photo_codes
from docproc.store.licences import licences

_CODE = re.compile(r"/v/([0-9A-Za-z_-]{1,40})$")


def verify_photo(ctx: Context, photos: Sequence[bytes]) -> PhotoVerification:
    """Compare photographs or scans of the pages of a printed licence with what the register holds; nothing is kept.

    Raises:
        InputError: no photograph.
        LimitError: larger than photographs may be, or more of them than a licence has pages.
        UnsupportedFileError: no picture, or damaged.
    """
    if not photos:
        raise InputError("no photograph", message_zh="没有收到照片，请重新选择")
    if len(photos) > MAX_PHOTOS or sum(map(len, photos)) > MAX_ALL_BYTES:
        raise LimitError(f"{len(photos)} photographs of {sum(map(len, photos))} bytes", message_zh=TOO_MANY)
    if max(map(len, photos)) > min(MAX_BYTES, ctx.settings.max_upload_bytes):
        raise LimitError(f"photograph of {max(map(len, photos))} bytes is over {MAX_BYTES}")
    return _verified(ctx, photos).to_json()


def _verified(ctx: Context, photos: Sequence[bytes]) -> PrintReport:
    texts = photo_codes(photos)
    known = {text: found for text in texts if (found := _by_code(ctx, text)) is not None}
    if not known:
        return PrintReport(_unknown(ctx, texts))
    if len({licence.number for licence, _ in known.values()}) > 1:
        return PrintReport("several-codes")
    text, (licence, sha256) = next(iter(known.items()))
    record = StoredRegister(ctx).by_number(licence.number)
    standing = record.standing() if record is not None else NOT_ASKED
    return compared(photos, ctx.blobs.get(sha256), licence, standing, text)


def _unknown(ctx: Context, texts: Sequence[str]) -> Outcome:
    """What is said where no code is that of a licence of ours: one that bears our address is a forgery."""
    if not texts:
        return "no-code"
    here = f"{ctx.settings.public_url.rstrip('/')}/"
    return "unknown-code" if any(text.casefold().startswith(here.casefold()) for text in texts) else "not-ours"


def _by_code(ctx: Context, text: str) -> tuple[Licence, str] | None:
    """The licence that a QR code stands for, and the hash of its file."""
    code = _CODE.search(text)
    if code is None:
        return None
    try:
        with ctx.database.read() as session:
            row = licences.find_by_code(session, code[1])
            return (parse_licence_json(canonical_json(row.body)), row.sha256) if row.sha256 is not None else None
    except NotFoundError:
        return None
