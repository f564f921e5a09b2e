"""Verify an untrusted file in a throw-away process, see :mod:`docproc.sandbox.parent`."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from docproc.errors import InputError, LimitError
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.conclude import conclude
from docproc.licence.report.report import Examination, Listed, Register, VerificationReport
from docproc.licence.verify.unjudged import unjudged, unread
from docproc.sandbox.decided import DECIDED
from docproc.sandbox.parent import Budget, Sandbox
from docproc.sandbox.policy import Policy

MEMORY_MB = 1024
SECONDS = 1
A_SIGNATURE = 0.25
"""CPU time that each further signature or time-stamp may take, as a share of that for a file with one."""
A_MEGABYTE = 0.02
"""And each megabyte, for every time that it is hashed."""
MOST = 16
"""How many times the CPU time for one signature the dearest file may take, whatever it holds."""
MAX_BYTES = 32 * 1024 * 1024
"""A licence is well under one megabyte."""
_WAITING_S = 20.0
"""Wall time that a child may wait for a busy machine, beside twice its CPU time."""
_ANSWER_BYTES = 16 * 1024 * 1024
_EXAMINE = Sandbox(
    "docproc.licence.verify.job:examine_job", Policy(warm_up="docproc.licence.verify.specimen:examine_specimen")
)


def prepare(files: int) -> None:
    """Start the helper process while the caller still reads files and settings; the first verdict comes sooner.

    Args:
        files: how many will be verified; it does not warm up for one.
    """
    _EXAMINE.start(warm=files > 1)


def verify_limited(
    data: bytes,
    trust: TrustList,
    at: datetime,
    register: Register | None = None,
    *,
    listed: Listed | None = None,
    own: str = "",
    memory_mb: int = MEMORY_MB,
    seconds: float = SECONDS,
) -> VerificationReport:
    """Verify like :func:`docproc.licence.verify.verify.verify`, in a process that a file may crash, hang or flood.

    ``memory_mb`` limits the child's address space, ``seconds`` its CPU time for a file with one signature; more is
    given to a file with more (:func:`cpu_seconds`). A limit that is reached is no verdict: the answer then is
    INDETERMINATE for the reason ``limit``.

    Raises:
        SetupError: the helper process cannot be started, which says nothing about the file.
    """
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > MAX_BYTES:
        found = unjudged("limit", f"the file is larger than {MAX_BYTES} bytes")
    else:
        given = cpu_seconds(data, seconds)
        budget = Budget(given, memory_mb, wall_s=_WAITING_S + 2 * given, result_bytes=_ANSWER_BYTES)
        found = _in_child(data, trust, at, budget)
    return conclude(found, digest, register, at, listed, own)


def cpu_seconds(data: bytes, seconds: float) -> float:
    """The CPU time for a file, ``seconds`` being enough for one signature.

    A licence gains a time-stamp at every renewal, and all of them are checked. They are counted without parsing: a
    file that only says to have many gains nothing but time, up to :data:`MOST`.
    """
    signatures = data.count(b"/ByteRange")
    share = 1 + A_SIGNATURE * max(0, signatures - 2) + A_MEGABYTE * (1 + signatures) * len(data) / 2**20
    return seconds * min(share, MOST)


def _in_child(data: bytes, trust: TrustList, at: datetime, budget: Budget) -> Examination:
    """Send trust list and file as bytes, read the answer as JSON: a compromised child can lie, but do nothing else."""
    told = json.dumps(trust.to_json()).encode()
    options = {"trust_bytes": len(told), "at": at.isoformat()}
    try:
        asked = ("verify", hashlib.sha256(data).hexdigest(), str(budget))
        answer, _ = DECIDED.once(asked, lambda: _EXAMINE.call(told + data, options, budget))
        return Examination.from_json(answer)
    except LimitError as error:
        return unjudged("limit", f"the file was not checked to its end: {error}")
    except InputError as error:
        return unread(data, f"the file stopped its reader: {error}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return unread(data, f"the file made its reader answer nonsense: {error}")
