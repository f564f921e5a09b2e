"""Children that end when their parent ends, however it ends."""

from __future__ import annotations

import os
import signal
import threading

PARENT_PIPE = "DOCPROC_PARENT_PIPE"
"""Number of the pipe end that a parent hands down; it reads as closed once the parent is gone."""


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
