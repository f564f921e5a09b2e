"""Examining a stranger's file in a child process that has little memory, little time and no way to hurt its parent."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from asn1crypto import crl, ocsp, x509

from docproc.errors import InputError
from docproc.licence.page.record import licence_json, parse_licence_json
from docproc.licence.pki.trust import Evidence, TrustList
from docproc.licence.pki.trust_limits import Anchor
from docproc.licence.verify.report import Examination, Listed, Register, SignatureReport, VerificationReport, conclude
from docproc.licence.verify.verify import examine, format_failure

MEMORY_MB = 1024
SECONDS = 1
_STARTING = 20
"""Seconds of wall clock that a child may take to start on a busy machine."""
MAX_BYTES = 32 * 1024 * 1024
"""A licence is well under one megabyte."""


def verify_limited(
    data: bytes,
    trust: TrustList,
    at: datetime,
    register: Register | None = None,
    *,
    listed: Listed | None = None,
    memory_mb: int = MEMORY_MB,
    seconds: int = SECONDS,
) -> VerificationReport:
    """Verify like :func:`docproc.licence.verify.verify.verify`, but a file that crashes, hangs or floods is a verdict.

    ``memory_mb`` bounds the child's address space, ``seconds`` the CPU time for the file itself and,
    doubled and with an allowance for starting, the wall clock.
    """
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > MAX_BYTES:
        return conclude(format_failure(f"the file is larger than {MAX_BYTES} bytes"), digest, register, at, listed)
    return conclude(_in_child(data, trust, at, memory_mb, seconds), digest, register, at, listed)


def _in_child(data: bytes, trust: TrustList, at: datetime, memory_mb: int, seconds: int) -> Examination:
    request = json.dumps(
        {
            "at": at.isoformat(),
            "roots": [_encode(item.dump()) for item in trust.roots],
            "intermediates": [_encode(item.dump()) for item in trust.intermediates],
            "crls": [_encode(item.dump()) for item in trust.evidence.crls],
            "anchors": [item.to_json() for item in trust.anchors],
            "ocsps": [_encode(item.dump()) for item in trust.evidence.ocsps],
        }
    ).encode()
    root = str(Path(__file__).resolve().parents[3])
    command = [sys.executable, "-m", "docproc.licence.verify.sandbox", str(memory_mb), str(seconds)]
    # what the service keeps in its environment (keys, database) is not for a process that reads strangers' files
    environment = {"PYTHONPATH": root, "PATH": os.defpath, "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(
            command,
            input=request + b"\n" + data,
            capture_output=True,
            timeout=_STARTING + seconds * 2,
            env=environment,
            check=False,
        )
        if done.returncode != 0:
            return format_failure(f"the file stopped its reader (status {done.returncode})")
        return _from_json(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return format_failure(f"the file took longer than {_STARTING + seconds * 2} s to read")
    except (ValueError, KeyError, TypeError, AttributeError, InputError) as error:
        return format_failure(f"the file made its reader answer nonsense: {error}")


def _main() -> None:
    """Child: limits first, then one examination from standard input to standard output."""
    memory, seconds = int(sys.argv[1]) * 1024 * 1024, int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # CPU time from here on, ended by the default action of SIGPROF: what starting cost is not the file's fault
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 0.001))
    head, _, data = sys.stdin.buffer.read().partition(b"\n")
    raw = json.loads(head)
    trust = TrustList(
        tuple(x509.Certificate.load(base64.b64decode(item)) for item in raw["roots"]),
        tuple(x509.Certificate.load(base64.b64decode(item)) for item in raw["intermediates"]),
        Evidence(
            tuple(crl.CertificateList.load(base64.b64decode(item)) for item in raw["crls"]),
            tuple(ocsp.OCSPResponse.load(base64.b64decode(item)) for item in raw["ocsps"]),
        ),
        tuple(Anchor.from_json(item) for item in raw["anchors"]),
    )
    sys.stdout.write(json.dumps(_to_json(examine(data, trust, datetime.fromisoformat(raw["at"])))))


def _to_json(found: Examination) -> dict[str, Any]:
    raw = dataclasses.asdict(dataclasses.replace(found, licence=None))
    for item in raw["signatures"]:
        item["time"] = item["time"].isoformat() if item["time"] else None
    raw["licence"] = licence_json(found.licence).decode() if found.licence else None
    return raw


def _from_json(raw: dict[str, Any]) -> Examination:
    """Read the child's answer; a child that was taken over could lie, but not make its parent run anything."""
    signatures = tuple(
        SignatureReport(
            str(item["signer"]),
            str(item["level"]),
            datetime.fromisoformat(item["time"]) if item["time"] else None,
            str(item["coverage"]),
            str(item["recognised"]),
            bytes.fromhex(item["certificate_sha256"]).hex(),
            item["indication"],
            item["sub_indication"],
            str(item["algorithm"]),
        )
        for item in raw["signatures"]
    )
    return Examination(
        raw["indication"],
        raw["sub_indication"],
        raw["integrity"],
        signatures,
        parse_licence_json(raw["licence"].encode()) if raw["licence"] else None,
        tuple(str(item) for item in raw["reasons"]),
    )


def _encode(der: bytes) -> str:
    return base64.b64encode(der).decode("ascii")


if __name__ == "__main__":
    _main()
