"""One attempt to seal what a record says, for licences, their new versions and notices."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NotRequired, TypedDict

from docproc import process_keys
from docproc.canonical import JsonObject, canonical_json
from docproc.domain import Licence
from docproc.errors import DocprocError, SealError, SealUnavailableError, SetupError, UnavailableError
from docproc.flow.core.chain_guard import check_log
from docproc.flow.core.context import Context
from docproc.flow.core.stages import Tools
from docproc.flow.jobs import meters
from docproc.licence.page.record import parse_licence_json
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.process_keys import SignatureError

log = logging.getLogger(__name__)

NOT_APPROVED = "内容与审批时不一致，不能签章，请联系管理员"
NOT_SEALED_HERE = "文件不是本机关签章服务制作的，不能登记，请联系管理员"
NO_KEY = "a sealer needs its own key: make one with `docproc process-key make sealer` and give the others ID.pub"
FILE = "sealed-file"
FIRST_DELAY, LONGEST_DELAY = 5, 300
"""Seconds before sealing is tried again, doubling up to the longest."""


class SealOutcome(TypedDict):
    """How an attempt to seal ended: ``sealed`` with a hash, ``wait`` or ``failed`` with a Chinese reason."""

    state: str
    sha256: str
    note: str
    proof: NotRequired[str]
    """Of a sealer: it sealed this file as this document (:func:`check_proof`)."""
    code: NotRequired[str]
    """Of the error that forbids it."""


def seal_once(
    body: JsonObject,
    what: str,
    *,
    check_content: Callable[[], None],
    seals: Callable[[Licence, datetime], Sequence[RegisteredSeal]],
    keep_days: int,
) -> SealOutcome:
    """Try to seal a record and store the file; nothing is sealed on an audit log that does not hold.

    Trouble of this machine or a store is raised: the step is tried again, then given up for a person to see.

    Args:
        body: the record (:func:`docproc.licence.page.record.licence_json`).
        what: name of it in the log.
        check_content: refuses what nobody approved, by a SealError.
        seals: the registered seals to use, the issuing authority's first; each is checked for this use.
        keep_days: how long the stored file cannot be deleted.
    """
    ctx, stages = Tools.get()
    record, at = parse_licence_json(canonical_json(body)), ctx.clock()
    try:
        check_log(ctx)
        check_content()
        sealed = stages.seal_licence(record, seals(record, at), at)
    except SealUnavailableError as error:
        meters.SEALS.labels("put off").inc()
        log.warning("%s: %s", what, error)
        return {"state": "wait", "sha256": "", "note": error.message_zh}
    except (SetupError, UnavailableError):
        raise
    except DocprocError as error:
        meters.SEALS.labels("failed").inc()
        log.error("%s: %s", what, error)
        return {"state": "failed", "sha256": "", "note": error.message_zh, "code": error.code}
    digest = ctx.blobs.put(sealed, keep_days=keep_days)
    return {"state": "sealed", "sha256": digest, "note": "", "proof": _proof(ctx, what, digest)}


def check_proof(ctx: Context, what: str, sha256: str, proof: str) -> None:
    """Make sure that a sealer sealed a file as a document, before it is given out: jobs come from the database too.

    Raises:
        SealError: none says so.
    """
    try:
        process_keys.check(ctx.keys.known, "sealer", FILE, {"what": what, "sha256": sha256}, proof)
    except SignatureError as error:
        raise SealError(f"{what}: {error}", message_zh=NOT_SEALED_HERE, code="not_signed") from error


def _proof(ctx: Context, what: str, sha256: str) -> str:
    if ctx.keys.own is None:
        raise SetupError(NO_KEY)
    return process_keys.sign(ctx.keys.own, FILE, {"what": what, "sha256": sha256})


def retry_delay(attempt: int) -> int:
    """Seconds to wait after an attempt (1 and more) that could not seal, doubling up to five minutes."""
    return min(FIRST_DELAY << min(attempt - 1, 8), LONGEST_DELAY)
