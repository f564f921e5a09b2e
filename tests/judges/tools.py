"""Judges that Debian ships: pdfsig (poppler), openssl and qpdf."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.judges.signed import SignedPart, signed_parts
from tests.servers.processes import find_program

_TOOLS = "scripts/servers tools"
_SECONDS = 60


def pdfsig(pdf: Path) -> list[str]:
    """What poppler says of each signature, for example ``Signature is Valid.``; it does not look at trust here."""
    return re.findall(r"- Signature Validation: (.*)", pdfsig_text(pdf))


def pdfsig_text(pdf: Path) -> str:
    """All that poppler says of the signatures."""
    return _run("pdfsig", ["-nocert", pdf]).stdout


def qpdf_check(pdf: Path) -> str:
    """What qpdf finds wrong with the file's structure; empty when it is sound."""
    done = _run("qpdf", ["--check", pdf])
    return "" if done.returncode == 0 else done.stdout + done.stderr


def openssl_faults(pdf: Path, roots: Sequence[Path], at: datetime | None = None) -> list[str]:
    """Have openssl verify every signature (CMS with the CAdES attributes) and every time-stamp up to the roots.

    Args:
        pdf: a signed file.
        roots: PEM files of trust anchors.
        at: time for which the certificates are checked; ``None``: now.

    Returns:
        One text for each refusal; empty when all hold. A file without a signature is a refusal.
    """
    parts = signed_parts(pdf)
    if not parts:
        return ["no signature"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        anchors = folder / "roots.pem"
        anchors.write_bytes(b"\n".join(path.read_bytes() for path in roots))
        time = ["-attime", str(int(at.timestamp()))] if at else []
        return [fault for part in parts for fault in _faults(part, folder, ["-CAfile", str(anchors), *time])]


def _faults(part: SignedPart, folder: Path, trust: list[str]) -> list[str]:
    if part.is_timestamp:
        return _token_fault(part.der, part.content, folder, trust)
    content, der = folder / "content", folder / "cms.der"
    content.write_bytes(part.content)
    der.write_bytes(part.der)
    options: list[str | Path] = ["-binary", "-inform", "DER", "-in", der, "-content", content, "-out", folder / "out"]
    # A seal's certificate is for signing documents; openssl would ask for S/MIME.
    done = _run("openssl", ["cms", "-verify", "-cades", "-purpose", "any", *options, *trust])
    faults = [] if done.returncode == 0 else [f"cms: {done.stderr.strip()}"]
    token = part.signature_timestamp
    return faults + (_token_fault(token, part.signature, folder, trust) if token else [])


def _token_fault(token: bytes, data: bytes, folder: Path, trust: list[str]) -> list[str]:
    stamped, der = folder / "stamped", folder / "token.der"
    stamped.write_bytes(data)
    der.write_bytes(token)
    done = _run("openssl", ["ts", "-verify", "-data", stamped, "-in", der, "-token_in", *trust])
    return [] if done.returncode == 0 else [f"ts: {done.stdout.strip()} {done.stderr.strip()}"]


def _run(program: str, arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    command = [str(find_program(program, _TOOLS)), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
