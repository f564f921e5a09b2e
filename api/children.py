"""The processes that ``docproc serve`` keeps alive, and the spare ones that stand in for a reader that died.

To start a reader takes seconds of computing: its libraries, its networks. A spare one has done that and waits for a
name. Whoever dies hands his name on: the spare takes it, with the lease that goes with it, and finishes what was begun
under it, while the next spare is started behind its back.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from docproc.flow.jobs.guardian import SPARE_PIPE

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a child that died is started again; doubles while it keeps dying within a minute."""
METRICS_PORT = "DOCPROC_METRICS_PORT"
SPARE_PAUSE = 15.0
"""Seconds before a spare is started, at first and after one was used: loading it must not slow those at work."""


@dataclass(slots=True)
class Child:
    """One process of the group and how it has fared."""

    name: str
    command: list[str]
    env: dict[str, str]
    handles: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    next_start: float = field(default=0.0)
    spares: Sequence[Spare] = ()
    """Processes that may take this one's name."""

    def start(self) -> None:
        """Start the process."""
        self.process = subprocess.Popen(self.command, env=self.env, pass_fds=self.handles, stdin=subprocess.DEVNULL)
        self.started = time.monotonic()

    def tend(self) -> None:
        """Notice that it died, and replace it by a spare, or start it again when its pause is over."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.pause = FIRST_PAUSE if now - self.started > 60 else min(self.pause * 2, LONGEST_PAUSE)
            status, self.process = self.process.returncode, next(self._stand_ins(), None)
            if self.process is not None:
                log.error("%s ended with %s; a spare process stands in", self.name, status)
                self.started = now
                return
            log.error("%s ended with %s; starting again in %.1f s", self.name, status, self.pause)
            self.next_start = now + self.pause
        if self.process is None and now >= self.next_start:
            self.start()

    def _stand_ins(self) -> Iterator[subprocess.Popen[bytes]]:
        for spare in self.spares:
            taken = spare.take(self)
            if taken is not None:
                yield taken


class Spare(Child):
    """A worker without a name, of the same kind as another child."""

    def __init__(self, like: Child, number: int) -> None:
        """Prepare one; it is started a while after the others."""
        command = ["spare" if part == like.name else part for part in like.command]
        super().__init__(f"spare-{number}", command, like.env, like.handles)
        self.next_start = time.monotonic() + SPARE_PAUSE
        self._tell: int | None = None

    def start(self) -> None:
        """Start it with a pipe of its own, on which it will be told its name."""
        self._close()
        told, self._tell = os.pipe()
        environment = {**self.env, SPARE_PIPE: str(told)}
        handles = (*self.handles, told)
        self.process = subprocess.Popen(self.command, env=environment, pass_fds=handles, stdin=subprocess.DEVNULL)
        os.close(told)
        self.started = time.monotonic()

    def take(self, place: Child) -> subprocess.Popen[bytes] | None:
        """Give a child's name and port to the process and return it, if it is alive; another starts after a pause."""
        process, tell = self.process, self._tell
        if process is None or tell is None or process.poll() is not None:
            return None
        try:
            os.write(tell, f"{place.env.get(METRICS_PORT, 0)} {place.name}\n".encode())
        except OSError:  # it died just now
            return None
        self._close()
        self.process, self.next_start = None, time.monotonic() + max(SPARE_PAUSE, place.pause)
        return process

    def _close(self) -> None:
        if self._tell is not None:
            os.close(self._tell)
            self._tell = None
