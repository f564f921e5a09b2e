"""Verify an untrusted file in a throw-away process, see :mod:`docproc.sandbox.parent`."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from docproc.errors import InputError
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.conclude import conclude
from docproc.licence.report.report import Examination, Listed, Register, VerificationReport, format_failure
from docproc.sandbox.parent import Budget, Sandbox

MEMORY_MB = 1024
SECONDS = 1
MAX_BYTES = 32 * 1024 * 1024
"""A licence is well under one megabyte."""
_WAITING_S = 20.0
"""Wall time that a child may wait for a busy machine, beside twice its CPU time."""
_ANSWER_BYTES = 16 * 1024 * 1024
_EXAMINE = Sandbox("docproc.licence.verify.job:examine_job")


def prepare() -> None:
    """Start the helper process while the caller still reads files and settings; the first verdict comes sooner."""
    _EXAMINE.start()


def verify_limited(
    data: bytes,
    trust: TrustList,
    at: datetime,
    register: Register | None = None,
    *,
    listed: Listed | None = None,
    memory_mb: int = MEMORY_MB,
    seconds: float = SECONDS,
) -> VerificationReport:
    """Verify like :func:`docproc.licence.verify.verify.verify`, but a file that crashes, hangs or floods is a verdict.

    ``memory_mb`` limits the child's address space, ``seconds`` its CPU time.

    Raises:
        SetupError: the helper process cannot be started, which says nothing about the file.
    """
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > MAX_BYTES:
        found = format_failure(f"the file is larger than {MAX_BYTES} bytes")
    else:
        budget = Budget(seconds, memory_mb, wall_s=_WAITING_S + 2 * seconds, result_bytes=_ANSWER_BYTES)
        found = _in_child(data, trust, at, budget)
    return conclude(found, digest, register, at, listed)


def _in_child(data: bytes, trust: TrustList, at: datetime, budget: Budget) -> Examination:
    """Send trust list and file as bytes, read the answer as JSON: a compromised child can lie, but do nothing else."""
    told = json.dumps(trust.to_json()).encode()
    options = {"trust_bytes": len(told), "at": at.isoformat()}
    try:
        answer, _ = _EXAMINE.call(told + data, options, budget)
        return Examination.from_json(answer)
    except InputError as error:
        return format_failure(f"the file stopped its reader: {error}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return format_failure(f"the file made its reader answer nonsense: {error}")
