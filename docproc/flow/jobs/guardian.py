"""Children that end when their parent ends, however it ends, and spare ones that wait for a dead one's name."""

from __future__ import annotations

import os
import select
import signal
import threading

PARENT_PIPE = "DOCPROC_PARENT_PIPE"
"""Number of the pipe end that a parent hands down; it reads as closed once the parent is gone."""
SPARE_PIPE = "DOCPROC_SPARE_PIPE"
"""Number of the pipe end on which a spare worker is told its name, and its port for measurements."""
_LOOK_S = 0.5


def end_with_parent() -> None:
    """Send ourselves SIGTERM when the parent is gone; does nothing in a process that was not started by ours."""
    text = os.environ.get(PARENT_PIPE)
    if text is None:
        return
    handle = int(text)

    def watch() -> None:
        os.read(handle, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def is_spare() -> bool:
    """Whether this worker has no name yet: it loads what it needs and waits until one dies."""
    return SPARE_PIPE in os.environ


def await_name(stopping: threading.Event) -> tuple[str, int] | None:
    """Wait for name and port for measurements of the worker to stand in for; ``None``: it is time to end."""
    handle = int(os.environ[SPARE_PIPE])
    while not stopping.is_set():
        ready, _, _ = select.select([handle], [], [], _LOOK_S)
        if ready:
            port, _, name = os.read(handle, 200).decode().strip().partition(" ")
            return (name, int(port)) if name else None
    return None
