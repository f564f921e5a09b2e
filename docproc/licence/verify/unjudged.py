"""What is said of a file that cannot be judged as a licence of ours, from its bytes alone: nothing is parsed here."""

from __future__ import annotations

from docproc.licence.page.record import ATTACHMENT
from docproc.licence.report.report import Examination, Reason, format_failure

_BEFORE = b"\xef\xbb\xbf\0 \t\r\n\f"
"""Bytes that may stand before the header of a PDF: blanks, and the mark with which some editors begin a text."""
_LICENCE = b"(" + ATTACHMENT.encode() + b")"
_SIGNED = (b"/ByteRange", b"/ETSI.CAdES.detached", b"/FT /Sig")
"""What every licence that was sealed here has among its plain bytes, each more than once or beside another."""


def is_pdf(data: bytes) -> bool:
    """Whether a file says that it is a PDF."""
    return data[:1024].lstrip(_BEFORE).startswith(b"%PDF-")


def claims_to_be_sealed(data: bytes) -> bool:
    """Whether a file bears the marks of a sealed licence, readable or not: then damage to it is alteration."""
    return _LICENCE in data and any(mark in data for mark in _SIGNED)


def unjudged(reason: Reason, why: str) -> Examination:
    """The answer on a file about which nothing can be found out; ``why`` is for developers.

    A file without any signature, and one that no reader of the standard can process, have words of their own in
    EN 319 102-1; everything else is INDETERMINATE, for it may be good.
    """
    if reason == "no-signature":
        return Examination("NO-SIGNATURE", None, "unknown", reasons=(why,), reason=reason)
    if reason in ("unreadable", "not-a-pdf"):
        return Examination("TOTAL-FAILED", "FORMAT_FAILURE", "unknown", reasons=(why,), reason=reason)
    return Examination("INDETERMINATE", "GENERIC", "unknown", reasons=(why,), reason=reason)


def unread(data: bytes, why: str) -> Examination:
    """The answer on a file that stopped its reader: damage, where it was a sealed licence, otherwise unknown."""
    if claims_to_be_sealed(data):
        return format_failure(why)
    return unjudged("unreadable" if is_pdf(data) else "not-a-pdf", why)
