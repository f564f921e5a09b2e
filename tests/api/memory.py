"""Which processes a service has, and whether something is anywhere in their memory."""

from __future__ import annotations

import re
from pathlib import Path


def children(parent: int) -> dict[str, int]:
    """``web``, ``read`` and ``seal``: process numbers below the parent."""
    found = {}
    for number in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        command = Path(f"/proc/{number}/cmdline").read_bytes()
        name = "web" if b"api.web" in command else "seal" if b"-seal" in command else "read"
        found[name] = int(number)
    return found


def in_memory(process: int, wanted: dict[str, bytes]) -> set[str]:
    """Which of these byte strings are anywhere in the memory or the environment of a process."""
    found: set[str] = set()
    with Path(f"/proc/{process}/maps").open() as maps, Path(f"/proc/{process}/mem").open("rb", 0) as memory:
        for line in maps:
            place = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if place is None or "[v" in line:
                continue
            start, end = int(place[1], 16), int(place[2], 16)
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, OverflowError, ValueError):
                continue
            found |= {name for name, item in wanted.items() if item in data}
    return found
