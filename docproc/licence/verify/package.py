"""The archive package of a licence: one zip file that can be checked without the service that made it.

By 国办发〔2023〕26号 (electronic files of government services are kept as electronic archives, complete with
metadata). ``hashes.json`` names every other file with its SHA-256; ``hashes.jws`` signs it with the seal key and
``hashes.tst`` (RFC 3161) proves when that was done.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docproc.errors import InputError
from docproc.licence.pki.jose import read_statement, sign_statement
from docproc.licence.pki.timestamp_token import check_token, token_ends
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import VerificationReport
from docproc.licence.verify.verify_limited import verify_limited

if TYPE_CHECKING:
    from docproc.licence.keys.signer import Signer

KIND = "docproc-archive"
HASHES, SIGNED, STAMPED, LICENCE, METADATA = "hashes.json", "hashes.jws", "hashes.tst", "licence.pdf", "metadata.json"
SCHEMA = "docproc-archive-1"
MAX_FILES = 2000
MAX_BYTES = 2 * 2**30
"""Of all files of a package together, unpacked."""
_BROKEN_JSON = (InputError, KeyError, TypeError, AttributeError, ValueError)
_BROKEN_ZIP = (ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile)
"""What reading a stranger's zip file may raise; RuntimeError: it is encrypted."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class PackageReport:
    """What checking a package says."""

    ok: bool
    number: str
    sealed_at: datetime | None
    """When the hashes were signed, as the time-stamp proves."""
    signer: str
    files: int
    problems: tuple[str, ...]
    licence: VerificationReport | None
    """The verdict on the licence inside, for the moment asked; its status is not in the package."""

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "ok": self.ok,
            "number": self.number,
            "sealed_at": self.sealed_at.isoformat() if self.sealed_at else None,
            "signer": self.signer,
            "files": self.files,
            "problems": list(self.problems),
            "licence": self.licence.to_json() if self.licence else None,
        }


def make_package(files: dict[str, bytes], signer: Signer, stamp: Callable[[bytes], bytes]) -> bytes:
    """Pack files (name -> bytes, ``licence.pdf`` and ``metadata.json`` among them); ``stamp`` time-stamps a SHA-256.

    Raises:
        SealUnavailableError: the TSA is out of reach; there is no package without a time-stamp.
    """
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    listed = json.dumps({"schema": SCHEMA, "files": hashes}, ensure_ascii=False, sort_keys=True, indent=1).encode()
    signed = sign_statement(listed, KIND, signer).encode()
    proof = {HASHES: listed, SIGNED: signed, STAMPED: stamp(hashlib.sha256(signed).digest())}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in {**proof, **dict(sorted(files.items()))}.items():
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def verify_package(data: bytes, trust: TrustList, at: datetime) -> PackageReport:
    """Check a package on its own: the signature over the hashes, every file, and the licence inside at ``at``."""
    try:
        files = _unpack(data)
        missing = [name for name in (HASHES, SIGNED, STAMPED, LICENCE, METADATA) if name not in files]
        if missing:
            raise InputError(f"{', '.join(missing)} is missing")
        signed, token = files[SIGNED], files[STAMPED]
        with _about(f"{STAMPED} or {SIGNED}"):
            moment = check_token(token, hashlib.sha256(signed).digest(), trust)
        with _about(SIGNED):
            statement = read_statement(signed.decode("ascii"), KIND, trust, moment)
        listed = json.loads(statement.payload)["files"]
        problems = [] if statement.payload == files[HASHES] else [f"{HASHES} is not what was signed"]
        problems += _differences(files, listed)
        if at > (end := token_ends(token)):
            problems.append(f"{STAMPED} wore out on {end:%Y-%m-%d}: nothing proves its time since; export it again")
        number = _number(files[METADATA])
    except (*_BROKEN_JSON, *_BROKEN_ZIP) as error:
        return PackageReport(False, "", None, "", 0, (f"not a whole package: {error}",), None)
    verdict = verify_limited(files[LICENCE], trust, at)
    if verdict.indication != "TOTAL-PASSED" or verdict.integrity != "intact":
        problems.append(f"{LICENCE}: {verdict.indication} {verdict.sub_indication or ''} {verdict.integrity}")
    if verdict.licence is None or verdict.licence.number != number:
        problems.append(f"{LICENCE} is not the licence that {METADATA} names")
    elif verdict.licence.authority_code != statement.authority_code:
        problems.append("the package is signed by another authority than issued the licence")
    return PackageReport(not problems, number, moment, statement.signer, len(listed), tuple(problems), verdict)


@contextmanager
def _about(name: str) -> Iterator[None]:
    """Name the file that a problem is about."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _number(metadata: bytes) -> str:
    """The licence's number; empty where the metadata, which is named as changed then, cannot be read."""
    try:
        return str(json.loads(metadata)["number"])
    except (ValueError, KeyError, TypeError):
        return ""


def _differences(files: dict[str, bytes], listed: dict[str, str]) -> list[str]:
    problems = [f"{name} is missing" for name in (LICENCE, METADATA) if name not in listed]
    problems += [f"{name} is missing" for name in listed if name not in files]
    problems += [f"{name} was added" for name in files if name not in listed and name not in (HASHES, SIGNED, STAMPED)]
    changed = [name for name in listed if name in files and hashlib.sha256(files[name]).hexdigest() != listed[name]]
    return problems + [f"{name} was changed" for name in changed]


def _unpack(data: bytes) -> dict[str, bytes]:
    """Read a zip file into memory, within limits; nothing is written to disk."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        entries = packed.infolist()
        names = [item.filename for item in entries]
        if len(names) > MAX_FILES:
            raise InputError(f"more than {MAX_FILES} files")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"there are several files of one name: {', '.join(twice)}")
        if sum(item.file_size for item in entries) > MAX_BYTES:
            raise InputError(f"unpacked it is larger than {MAX_BYTES} bytes")
        return {item.filename: packed.read(item) for item in entries}
