"""What a parser of nothing in particular reaches: asked by the doctor, and before a service starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from docproc.canonical import JsonObject
from docproc.sandbox.parent import Sandbox

PROBE = Sandbox("docproc.sandbox.probe:look")


def look(data: bytes, options: JsonObject) -> tuple[JsonObject, Sequence[bytes]]:
    """Try what must be refused, and return what was not."""
    return {"reached": [name for name, attempt in _ATTEMPTS.items() if _succeeds(attempt)]}, ()


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


_ATTEMPTS: dict[str, Callable[[], object]] = {
    "files": lambda: Path("/etc/passwd").read_bytes(),
    "folders": lambda: os.listdir("/"),  # noqa: PTH208  (a name is enough)
    "processes": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "signals": lambda: os.kill(os.getppid(), 0),
    "writing": lambda: Path(f"/tmp/docproc-{os.getpid()}").write_bytes(b""),
    "new processes": _fork,
}
