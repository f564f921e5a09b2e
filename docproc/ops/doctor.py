"""Check this machine: what docproc requires, what it can use, and the command that installs what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from docproc.assets.fetch import verify
from docproc.assets.paths import models_dir
from docproc.assets.wheels import FETCH
from docproc.errors import SetupError

CV2 = "opencv-contrib-python"
"""The one distribution of cv2 that PaddleX looks for; a second one would overwrite its files."""
_CV2_LEAST = (5, 1)
"""PaddleX pins a release of 2024, whose decoders have known faults; uv installs a newer one (pyproject.toml)."""

_PYTHONS = ((3, 11), (3, 12))
_SQLITE = (3, 35, 0)  # RETURNING
_FREE_BYTES = 2 * 2**30
_MEMORY_BYTES = 4 * 2**30
_CERTS = (
    *("seal-rsa.p12", "seal-p256.p12", "seal-joint.p12", "seal-sm2.pem", "maker-sm2.pem", "tsa.p12", "ocsp.p12"),
    *("passphrase", "trust/root.crt", "trust/ca.crt", "trust/root-sm2.crt", "trust/ca-sm2.crt"),
)
_PROGRAMS = (
    ("pdfsig", "poppler-utils", "checks our signatures from outside"),
    ("openssl", "openssl", "checks certificates and time-stamps from outside"),
    ("chromium", "chromium", "draws the pages for the tests of the screens"),
)
_CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    detail: str
    """What was found."""
    remedy: str = ""
    """The command or step that fixes it; empty when ``ok``."""
    needed: bool = True
    """False for what is optional; such a check never makes the overall result negative."""


def diagnose(
    *,
    models: Path | None = None,
    certs: Path | None = None,
    data: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
) -> list[Check]:
    """Run all checks; nothing is changed apart from a temporary file in the data folder.

    Args:
        models: Folder of weights and fonts; by default the models folder.
        certs: Folder of the development PKI; by default ``certs/dev``.
        data: Folder of database and blobs; by default ``var``.
        host: Address that the service will listen on.
        port: Port that the service will listen on; 0 for any.
    """
    data = data or Path("var")
    return [
        check_python(),
        check_cv2(),
        *check_models(models or models_dir()),
        check_certs(certs or Path("certs/dev")),
        check_sqlite(data),
        check_disk(data),
        check_memory(),
        check_port(host, port),
        check_cpu(),
        *(check_program(*program) for program in _PROGRAMS),
    ]


def healthy(checks: list[Check]) -> bool:
    """Whether everything that docproc needs is present."""
    return all(check.ok for check in checks if check.needed)


def check_python() -> Check:
    """Python is one of the versions that every dependency has wheels for."""
    ok = sys.version_info[:2] in _PYTHONS
    return Check("python", ok, platform.python_version(), "" if ok else "apt-get install python3.11 python3.11-venv")


def check_cv2() -> Check:
    """Exactly one distribution owns cv2, the one that PaddleX looks for, and not the old release that it pins."""
    found = sorted(
        {
            f"{item.name}=={item.version}"
            for item in distributions()
            if item.name.lower().replace("_", "-").startswith("opencv-")
        }
    )
    version = tuple(int(part) for part in (_installed(CV2) or "0").split(".")[:2])
    ok = len(found) == 1 and version >= _CV2_LEAST
    others = " ".join(item.split("==")[0] for item in found)
    install = "uv pip install --require-hashes -r requirements-run.lock"
    remedy = f"{f'uv pip uninstall {others} && ' if others else ''}{install}"
    return Check("cv2", ok, ", ".join(found) or "none", "" if ok else remedy)


def check_models(root: Path) -> list[Check]:
    """Weights and fonts are present and unaltered."""
    try:
        states = verify(root=root)
    except SetupError as error:
        return [Check("models", False, str(error), "git checkout -- models/manifest.toml")]
    checks = []
    for kind in ("weights", "fonts"):
        mine = [item for item in states if item.file.path.startswith(f"{kind}/")]
        wrong = [f"{item.file.path} {item.state}" for item in mine if item.state != "ok"]
        detail = ", ".join(wrong) or f"{len(mine)} files verified"
        checks.append(Check(kind, not wrong, detail, FETCH.strip("`") if wrong else ""))
    return checks


def check_certs(folder: Path) -> Check:
    """The development PKI is complete; an office with its own certificates does not need it."""
    missing = [name for name in _CERTS if not (folder / name).is_file()]
    detail = f"{', '.join(missing)} missing in {folder}" if missing else f"complete in {folder}"
    return Check("certificates", not missing, detail, "docproc seal dev-pki" if missing else "", needed=False)


def check_sqlite(folder: Path) -> Check:
    """SQLite is new enough and the file system supports its write-ahead log."""
    detail, remedy = sqlite3.sqlite_version, "use a Python that is built with SQLite 3.35 or newer"
    if sqlite3.sqlite_version_info < _SQLITE:
        return Check("sqlite", False, detail, remedy)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".doctor-") as scratch:
            connection = sqlite3.connect(Path(scratch) / "probe.db")
            try:
                (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
                connection.execute("CREATE TABLE probe (id INTEGER)")
            finally:
                connection.close()
    except (OSError, sqlite3.Error) as error:
        return Check(
            "sqlite", False, f"{detail}, {folder}: {error}", f"make {folder} writable, or set DOCPROC_DATA_DIR"
        )
    ok = mode == "wal"
    remedy = f"put the data folder on a local disk: {folder} has no write-ahead log; set DOCPROC_DATA_DIR"
    return Check("sqlite", ok, f"{detail}, journal {mode}", "" if ok else remedy)


def check_disk(folder: Path) -> Check:
    """At least 2 GiB are free where scans and licences are stored."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    ok = free >= _FREE_BYTES
    return Check("disk", ok, f"{_gib(free)} free at {place}", "" if ok else "free 2 GiB, or set DOCPROC_DATA_DIR")


def check_memory() -> Check:
    """Reading needs about 2 GiB of memory per worker."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    ok = total >= _MEMORY_BYTES
    remedy = "" if ok else "give the machine 4 GiB, or start one worker only"
    return Check("memory", ok, f"{_gib(total)}, {os.cpu_count()} processors", remedy, needed=False)


def check_port(host: str, port: int) -> Check:
    """The port that the service will listen on is free."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            remedy = "stop what listens there, or set DOCPROC_PORT"
            return Check("port", False, f"{host}:{port}: {error.strerror or error}", remedy, needed=False)
    return Check("port", True, f"{host}:{port} is free", needed=False)


def check_cpu() -> Check:
    """Which vector units the reading engine can use; it runs without any of them, only slower."""
    cpuinfo = Path("/proc/cpuinfo")
    words = set(cpuinfo.read_text(errors="replace").split()) if cpuinfo.is_file() else set()
    have = [flag for flag in _CPU_FLAGS if flag in words]
    return Check("processor", True, f"{platform.machine()} {' '.join(have)}".strip(), needed=False)


def check_program(program: str, package: str, use: str) -> Check:
    """A program that the tests and external checks use."""
    path = shutil.which(program)
    return Check(
        program, path is not None, path or f"not installed; {use}", "" if path else f"apt-get install {package}", False
    )


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
