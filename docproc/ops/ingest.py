"""Submit many scans from a folder or bucket: resumable, backing off while the service is busy, with a report.

Every folder below the given one is an application and its files are the pages; a
file directly in it is an application by itself. What was done is recorded in a
journal, and every request carries an Idempotency-Key derived from its contents, so
an interrupted run continues where it stopped and nothing is submitted twice.
Everything is submitted first, as fast as the service accepts it; then verdicts are collected.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, TypeVar

from docproc.errors import BusyError, DocprocError, InputError, SetupError
from docproc.ops.client import Client
from docproc.store.blobs.minio_source import Bucket

R = TypeVar("R")
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".pdf")
MOST_TRIES = 1000
"""How often one request may be deferred by a busy service, 10 to 60 s each time."""
MOST_LOST = 60
"""How often the service may be unreachable for one request: it restarts, or the network is down."""
LOST_SECONDS = 2.0
LOOK_SECONDS = 2.0
"""Between two polls for verdicts."""
STALLED_SECONDS = 86_400.0
"""Time without any new verdict after which the run ends."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One file."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Files that make one application."""

    name: str
    """Path below the folder; stays the same between runs."""
    files: tuple[Scan, ...]


@dataclass(slots=True)
class Report:
    """Counts and failures of a run."""

    parcels: int = 0
    done_before: int = 0
    """Parcels that an earlier run submitted."""
    handed_in: int = 0
    files: int = 0
    seconds: float = 0.0
    hand_in_seconds: float = 0.0
    """Of them, until everything was submitted."""
    put_off: int = 0
    """How often the service was busy."""
    verdicts: dict[str, int] = field(default_factory=dict)
    """Applications by verdict, of this and earlier runs, if the run waits for verdicts."""
    failed: dict[str, str] = field(default_factory=dict)
    """Parcels that could not be submitted, and why."""


def parcels(source: Path | Bucket) -> Iterator[Parcel]:
    """The applications in a folder or bucket, by name.

    Raises:
        InputError: there are none.
    """
    found = False
    for name, files in _in_bucket(source) if isinstance(source, Bucket) else _in_folder(source):
        scans = tuple(file for file in files if file.name.lower().endswith(SUFFIXES))
        if scans:
            found = True
            yield Parcel(name, scans)
    if not found:
        raise InputError(f"{source} holds no scans: put {', '.join(SUFFIXES)} files into it, a folder an application")


def _in_folder(folder: Path) -> Iterator[tuple[str, list[Scan]]]:
    for entry in sorted(folder.iterdir()):
        files = sorted(entry.rglob("*")) if entry.is_dir() else [entry]
        yield entry.name, [Scan(file.name, file.read_bytes) for file in files if file.is_file()]


def _in_bucket(bucket: Bucket) -> Iterator[tuple[str, list[Scan]]]:
    for name, keys in groupby(bucket.keys(), lambda key: key.partition("/")[0]):
        yield name, [Scan(PurePosixPath(key).name, partial(bucket.read, key)) for key in keys]


class Notes:
    """The journal of a run: a file of JSON lines, one for each application that was submitted or checked."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self.numbers: dict[str, str] = {}
        self.verdicts: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text().splitlines():
                self._take(json.loads(line) if line.endswith("}") else {})  # the last line may be cut short
        self._file = path.open("a", encoding="utf-8")

    def write(self, **line: str) -> None:
        """Append a line; it is on disk before this returns."""
        with self._lock:
            self._take(line)
            self._file.write("\n" + json.dumps(line, ensure_ascii=False))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _take(self, line: dict[str, str]) -> None:
        if "number" in line:
            self.numbers[line["parcel"]] = line["number"]
        if "verdict" in line:
            self.verdicts[line["parcel"]] = line["verdict"]


def ingest(
    client: Client,
    source: Path | Bucket,
    matter: str,
    notes: Path,
    *,
    at_once: int = 4,
    wait: bool = True,
    progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Submit a folder or bucket as a batch, which the service processes after interactive applications.

    Args:
        client: of a caller who may create applications.
        source: what to submit.
        matter: of all applications.
        notes: journal of what was done, to resume from.
        at_once: requests at the same time.
        wait: until every application has its verdict.
        progress: called after each application, and after each poll for verdicts.
    """
    report, kept, started = Report(), Notes(notes), time.monotonic()
    lock = Lock()

    def one(parcel: Parcel) -> None:
        _ingest_one(client, matter, parcel, kept, report, lock)
        report.seconds = time.monotonic() - started
        progress(report)

    todo = list(parcels(source))
    report.parcels = len(todo)
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, todo))
    report.hand_in_seconds = time.monotonic() - started
    if wait:
        _collect(client, kept, report, lambda: progress(report))
    kept.close()
    report.seconds = time.monotonic() - started
    return report


def _ingest_one(client: Client, matter: str, parcel: Parcel, kept: Notes, report: Report, lock: Lock) -> None:
    """Submit one application unless that was done before; a failure is recorded in the report."""
    try:
        before = parcel.name in kept.numbers
        if not before:
            kept.write(parcel=parcel.name, number=_hand_in(client, matter, parcel, report))
        with lock:
            report.done_before += before
            report.handed_in += not before
            report.files += 0 if before else len(parcel.files)
    except (DocprocError, OSError) as error:
        with lock:
            report.failed[parcel.name] = str(error)


def _collect(client: Client, kept: Notes, report: Report, looked: Callable[[], None]) -> None:
    """Record each application's verdict as soon as it has one.

    Raises:
        SetupError: there was no new verdict for a day.
    """
    moved = time.monotonic()
    open_ = {number: name for name, number in kept.numbers.items() if name not in kept.verdicts}
    report.verdicts = dict(Counter(kept.verdicts.values()))
    while open_:
        after, last = min(open_)[:-1], max(open_)
        while after < last:
            path = f"/v1/applications?limit=200&after={after}"
            listed = _patiently(partial(client.get, path), report)
            for item in listed:
                if item["checked"] and item["number"] in open_:
                    kept.write(parcel=open_.pop(item["number"]), verdict=str(item["verdict"]))
                    moved = time.monotonic()
            after = str(listed[-1]["number"]) if listed else last
        report.verdicts = dict(Counter(kept.verdicts.values()))
        looked()
        if open_ and time.monotonic() - moved > STALLED_SECONDS:
            raise SetupError(
                f"{len(open_)} applications have no verdict, {next(iter(open_))} among them: see the workers"
            )
        if open_:
            time.sleep(LOOK_SECONDS)


def _hand_in(client: Client, matter: str, parcel: Parcel, report: Report) -> str:
    body = {"matter": matter, "channel": "batch"}
    once = _once(matter, parcel.name)
    number = str(_patiently(lambda: client.post("/v1/applications", body, once=once), report)["number"])
    for file in parcel.files:
        data = _patiently(file.read, report)
        key = _once(number, file.name, hashlib.sha256(data).hexdigest())
        path = f"/v1/applications/{number}/pages"
        _patiently(lambda: client.upload(path, data, file.name, once=key), report)  # noqa: B023  (called at once)
    return number


def _patiently(call: Callable[[], R], report: Report) -> R:
    """Call, and retry while the service defers the request or is unreachable for a while."""
    lost = 0
    for _ in range(MOST_TRIES):
        try:
            return call()
        except BusyError as error:
            report.put_off += 1
            time.sleep(error.retry_after)
        except SetupError:
            lost += 1
            if lost > MOST_LOST:
                raise
            time.sleep(LOST_SECONDS)
    raise BusyError("the service stays busy: run the same command again later")


def _once(*parts: Any) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
