"""The machine that figures are measured on, and what processes use of it, from proc(5)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict

_VECTOR_SETS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "bf16")
"""As /proc/cpuinfo names them; what decides how fast networks are computed."""


class Machine(TypedDict):
    """What stands beside every figure."""

    processor: str
    cores: int
    vector_sets: list[str]
    load: float
    """Of the minute before, in cores: figures of a busy machine are worse."""


def machine() -> Machine:
    """This machine, now."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        text = ""
    lines = dict(line.partition(":")[::2] for line in text.splitlines() if ":" in line)
    told = {name.strip(): value.strip() for name, value in lines.items()}
    words = set(told.get("flags", told.get("Features", "")).split())
    return {
        "processor": told.get("model name", "unknown"),
        "cores": os.cpu_count() or 1,
        "vector_sets": [name for name in _VECTOR_SETS if name in words],
        "load": round(os.getloadavg()[0], 2),
    }


def children(process: int) -> set[int]:
    """Processes that the threads of a process started and that run still."""
    found: set[int] = set()
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found |= {int(word) for word in file.read_text().split()}
        except OSError:
            continue  # it has ended
    return found


def family(process: int) -> set[int]:
    """A process and all that descend from it."""
    found, new = {process}, {process}
    while new:
        new = {child for each in new for child in children(each)} - found
        found |= new
    return found


def cpu_seconds(process: int, *, ended_children: bool = False) -> float:
    """CPU time of a process on this machine; 0 for one that has ended or runs elsewhere.

    Args:
        process: its number.
        ended_children: count the children that have ended and were waited for, too.
    """
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended_children else 13])) / os.sysconf("SC_CLK_TCK")


def family_cpu_seconds(process: int) -> float:
    """CPU time of a process and all that descend from it, those that have ended among them."""
    return sum(cpu_seconds(each, ended_children=True) for each in family(process))


def rss_mb(process: int) -> float:
    """Resident memory of a process, MiB; 0 for one that has ended."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmRSS")), 0.0)
