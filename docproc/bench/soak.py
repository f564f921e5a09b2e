"""Measure effects that appear only after many pages: ``docproc bench soak``.

Readers, each in its own process as in the service, read the pages of a sample
repeatedly. The report says how long one takes to start, how its memory grows with the
pages, and how many pages per second several of them read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from docproc.errors import SetupError

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and the total."""
LOOKS = 40
"""How often a reader's memory is looked at."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """The measurements of one reader."""

    start_s: float
    """Wall time from the start of its process until the engine is loaded."""
    pages: int
    wall_s: float
    cpu_s: float
    memory: list[tuple[int, float]]
    """Pages read, and memory in use at that point, MB."""


def run(
    sample: Path, readers: Sequence[int], pages: int, tell: Tell = lambda what, done, total: None
) -> dict[str, Any]:
    """Measure with each number of readers.

    Args:
        sample: folder of a sample application; its pages are read in turn.
        readers: numbers of readers.
        pages: number that each reader reads after it has read the sample once.
        tell: called with the progress.

    Raises:
        SetupError: no such sample, or a reader failed.
    """
    if not (sample / "expected.json").is_file():
        raise SetupError(f"no sample in {sample}: make some with `python -m samples.make --out samples/scans`")
    runs = [_summary(_read_together(sample, number, pages, tell)) for number in readers]
    found: dict[str, Any] = {"runs": runs}
    if len(runs) > 1:
        found["ratio"] = round(runs[-1]["pages_per_second"] / max(runs[0]["pages_per_second"], 1e-6), 2)
    return found


def _summary(done: Sequence[Soaked]) -> dict[str, Any]:
    return {
        "readers": len(done),
        "pages": sum(one.pages for one in done),
        "pages_per_second": round(sum(one.pages / one.wall_s for one in done), 3),
        "cpu_seconds_page": round(sum(one.cpu_s for one in done) / sum(one.pages for one in done), 3),
        "start_seconds": round(max(one.start_s for one in done), 2),
        "memory_mb": round(max(one.memory[-1][1] for one in done)),
        "growth_kb_page": round(max(growth_kb(one.memory) for one in done), 2) + 0.0,  # no minus before nothing
    }


def growth_kb(memory: Sequence[tuple[int, float]]) -> float:
    """Slope of memory in use (MB) over pages, kB per page; the first quarter, when caches fill, is left out."""
    kept = memory[len(memory) // 4 :]
    if len(kept) < 2:
        return 0.0
    pages, used = np.array(kept, np.float64).T
    return float(np.polyfit(pages, used, 1)[0]) * 1024


def _read_together(sample: Path, number: int, pages: int, tell: Tell) -> list[Soaked]:
    with _started(sample, number, pages) as readers:
        for reader in readers:
            _line(reader)  # loaded, and every page read once
        for reader in readers:
            assert reader.stdin is not None
            reader.stdin.write("go\n")
            reader.stdin.flush()
        what = f"pages read by {number}"
        for done in range(1, LOOKS + 1):
            for reader in readers:
                _line(reader)
            tell(what, done * pages * number // LOOKS, pages * number)
        return [Soaked(**json.loads(_line(reader))) for reader in readers]


@contextmanager
def _started(sample: Path, number: int, pages: int) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "docproc.bench.soak", str(sample), str(pages)]
    readers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(number)
    ]
    try:
        yield readers
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


def _line(reader: subprocess.Popen[str]) -> str:
    assert reader.stdout is not None
    line = reader.stdout.readline()
    if not line:
        raise SetupError("a reader ended before it was done: run `docproc doctor`")
    return line


def read_over_and_over(sample: Path, pages: int) -> None:
    """Run one reader: report when it is ready, wait for a line of input, read, and report the measurements."""
    from docproc.matter.load import find_matter
    from docproc.read.pipeline import page_engine, read_file
    from docproc.sandbox.spent import cpu_seconds

    expected = json.loads((sample / "expected.json").read_text("utf-8"))
    matter, today = find_matter(expected["matter"]), date.fromisoformat(expected["today"])
    engine = page_engine(threads=1)
    start = seconds_alive()
    files = [(sample / name).read_bytes() for name in expected["files"]]
    materials = [truth["material"] for truth in expected["truth"]]

    def read(turn: int) -> None:
        turn %= len(files)
        read_file(files[turn], "page", matter, material=materials[turn], today=today, recogniser=engine)

    for turn in range(len(files)):
        read(turn)
    print("ready", flush=True)
    sys.stdin.readline()
    begun, spent = time.monotonic(), cpu_seconds()
    memory: list[tuple[int, float]] = []
    for look in range(1, LOOKS + 1):
        for turn in range(pages * (look - 1) // LOOKS, pages * look // LOOKS):
            read(turn)
        memory.append((pages * look // LOOKS, memory_mb()))
        print(look, flush=True)
    wall, cpu = time.monotonic() - begun, cpu_seconds() - spent
    print(json.dumps({"start_s": start, "pages": pages, "wall_s": wall, "cpu_s": cpu, "memory": memory}), flush=True)


def seconds_alive() -> float:
    """Seconds since this process started, by the kernel's accounting (proc(5))."""
    ticks = int(Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def memory_mb() -> float:
    """Resident memory of this process, MB."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    read_over_and_over(Path(sys.argv[1]), int(sys.argv[2]))
