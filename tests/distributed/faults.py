"""Faults of a deployment, one after the other, drawn from a seeded generator; a supervisor is at work meanwhile."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.distributed.deployment import MINIO, POSTGRES, READER_QUEUES, READERS, SEALER, WEB, Deployment
from tests.servers.processes import Server

JUMPS = (-86_400, -3_600, -300, 300, 3_600, 86_400)
"""Seconds by which a clock jumps; more than the 30 s that workers bear."""


class Chaos:
    """Injects each kind of fault at least once, then any, until ``count`` are done.

    Between two faults about ``pause`` seconds pass; so they can be spread over all that happens.
    """

    def __init__(self, running: Deployment, seed: int, count: int, outage: float, pause: float = 1.25) -> None:
        self.running, self.random, self.outage, self.pause = running, random.Random(seed), outage, pause
        self.done, self.stopping = Counter[str](), threading.Event()
        kinds = [name for name, (_, machine) in FAULTS.items() if running.machine or not machine]
        self.plan = [*kinds[:count], *self.random.choices(kinds, k=max(0, count - len(kinds)))]
        self.random.shuffle(self.plan)

    def run(self) -> None:
        for fault in self.plan:
            self.wait(self.random.uniform(0.4, 1.6) * self.pause)
            FAULTS[fault][0](self)
            self.done[fault] += 1
        while not self.stopping.is_set():
            self.wait(1)

    def wait(self, seconds: float) -> None:
        """Let time pass; who ended is started again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.running.tend()
            time.sleep(0.2)

    def kill(self, name: str) -> None:
        self.running.workers.kill(name)
        self.running.workers.start(name, "seal" if name == SEALER else READER_QUEUES, wait=False)

    def kill_reader(self) -> None:
        self.kill(self.random.choice(READERS))

    def kill_sealer(self) -> None:
        self.kill(SEALER)

    def kill_web(self) -> None:
        """Kill the process that answers; its parent starts another one on the same socket."""
        self.running.kill_web()

    def kill_web_parent(self) -> None:
        restart(self.running.web, signal.SIGKILL)

    def kill_minio(self) -> None:
        restart(self.running.minio, signal.SIGKILL)

    def kill_postgres(self) -> None:
        restart(self.running.postgres, signal.SIGKILL)

    def restart_postgres(self) -> None:
        """Fast shutdown: open transactions are cut off."""
        restart(self.running.postgres, signal.SIGINT)

    def stop_minio(self) -> None:
        self.running.minio.stop()
        self.wait(self.outage)
        self.running.minio.start()

    def freeze_reader(self) -> None:
        process = self.running.workers.running[self.random.choice(READERS)]
        process.send_signal(signal.SIGSTOP)
        self.wait(4)
        process.send_signal(signal.SIGCONT)

    def cut_one_off(self) -> None:
        """Pull the cable of one, at times for longer than a silent connection lives."""
        machine = self.running.machine
        assert machine is not None
        host = machine.hosts[self.random.choice([WEB, SEALER, *READERS])]
        machine.network.cut(host)
        self.wait(self.random.choice([2, 9]))
        machine.network.mend(host)

    def part_two(self) -> None:
        """One process and one server do not reach each other; both reach all others."""
        machine = self.running.machine
        assert machine is not None
        pair = self.random.choice([WEB, SEALER, *READERS]), self.random.choice([POSTGRES, MINIO])
        hosts = [machine.hosts[name] for name in pair]
        machine.network.part(*hosts)
        self.wait(self.random.choice([3, 9]))
        machine.network.mend(*hosts)

    def jump_clock(self) -> None:
        self._jump([self.random.choice([WEB, SEALER, *READERS])])

    def jump_all_clocks(self) -> None:
        self._jump([WEB, SEALER, *READERS])

    def _jump(self, names: list[str]) -> None:
        machine, seconds = self.running.machine, self.random.choice(JUMPS)
        assert machine is not None
        for name in names:
            machine.clocks[name].set(seconds)
        self.wait(3)
        for name in names:
            machine.clocks[name].set(0)

    def fill_database_disk(self) -> None:
        self._fill(POSTGRES)

    def fill_blob_disk(self) -> None:
        self._fill(MINIO)

    def _fill(self, name: str) -> None:
        assert self.running.machine is not None
        disk = self.running.machine.disks[name]
        disk.fill()
        self.wait(4)
        disk.free()


def restart(server: Server, number: int) -> None:
    """End a server with a signal and start it again, as often as the remains of the old one are in the way."""
    server.stop(number)
    for _ in range(20):
        try:
            return server.start()
        except RuntimeError:
            time.sleep(0.5)
    server.start()


FAULTS: dict[str, tuple[Callable[[Chaos], None], bool]] = {
    "reader killed": (Chaos.kill_reader, False),
    "sealer killed": (Chaos.kill_sealer, False),
    "web killed": (Chaos.kill_web, False),
    "web's parent killed": (Chaos.kill_web_parent, False),
    "MinIO killed": (Chaos.kill_minio, False),
    "PostgreSQL killed": (Chaos.kill_postgres, False),
    "PostgreSQL restarted": (Chaos.restart_postgres, False),
    "MinIO away": (Chaos.stop_minio, False),
    "reader stopped for a while": (Chaos.freeze_reader, False),
    "one cut off": (Chaos.cut_one_off, True),
    "two parted": (Chaos.part_two, True),
    "one clock jumped": (Chaos.jump_clock, True),
    "all clocks jumped": (Chaos.jump_all_clocks, True),
    "database's disk full": (Chaos.fill_database_disk, True),
    "blob store's disk full": (Chaos.fill_blob_disk, True),
}
"""Each kind, and whether it disturbs the machine."""
