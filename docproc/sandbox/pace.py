"""A limit on each part of a job: a page may use the time of a page, not that of the whole file."""

from __future__ import annotations

import signal


def allow(cpu_s: float) -> None:
    """Let this process compute for so long until it is called again; its end then counts as a limit of CPU time.

    The timer is apart from the job's own and counts the process's own computing; the signal cannot be held up by a
    parser that never comes back. Call it in a child of the sandbox alone; 0: no limit from here on.
    """
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s)
