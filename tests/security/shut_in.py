"""Run the attempts of ``hostile`` through every production target of this process, and tell what they reached.

``python -m tests.security.shut_in [--free] [--no-namespaces]``: JSON on standard output. Secrets, a sealer and
listeners are made for the occasion by the user that runs it, so nothing but the sandbox keeps a parser from them.
"""

from __future__ import annotations

import ctypes
import errno
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyseccomp

from docproc.canonical import JsonObject
from docproc.errors import DocprocError
from docproc.licence.pki.trust import TrustList
from docproc.licence.verify import verify_limited
from docproc.read.printed import photo
from docproc.sandbox import parent
from docproc.sandbox.parent import Budget, Sandbox
from docproc.scan.compare import paper_match
from docproc.scan.files import preview, split_limited
from docproc.scan.registration.quality import first_word
from tests.security.hostile import ATTEMPTS, FREELY, MARK, REACHED, STOPPED, attempt

_SEALER = "import sys, time; print('up', flush=True); time.sleep(600)"


class Watched(Sandbox):
    """A sandbox that remembers what its children said, for callers that translate it."""

    said: list[str]

    def call(
        self, data: bytes, options: JsonObject, budget: Budget | None = None
    ) -> tuple[JsonObject, list[bytearray]]:
        try:
            return super().call(data, options, budget)
        except DocprocError as error:
            self.said.append(str(error))
            raise


# Of each production sandbox: its module and name, the hostile target, and the production function that calls it.
TARGETS: dict[str, tuple[Any, str, str, Callable[[bytes], object]]] = {
    "split": (split_limited, "_SANDBOX", "split", lambda file: list(split_limited.split_limited(file))),
    "preview": (split_limited, "_SANDBOX", "split", lambda file: list(preview.previews(file, first_word))),
    "codes": (photo, "_CODES", "codes", lambda file: photo.photo_codes([file])),
    "photographs": (photo, "_COMPARE", "photographs", lambda file: photo.compare_print([file], b"", [])),
    "papers": (
        *(paper_match, "_MATCH", "papers"),
        lambda file: paper_match.match_papers([], [], [file]),
    ),
    "verification": (
        *(verify_limited, "_EXAMINE", "licence"),
        lambda file: verify_limited.verify_limited(b"%PDF-1.7\n" + file, TrustList((), ()), datetime.now(UTC)),
    ),
}


@contextmanager
def goals() -> Iterator[JsonObject]:
    """Things worth reaching, and their places."""
    secret = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="docproc-goals-") as name:
        folder = Path(name)
        for file in ("database", "seal_key", "passphrase", "process_key", "victim"):
            (folder / file).write_bytes(secret.encode())
            (folder / file).chmod(0o600)
        sealer = subprocess.Popen(
            [sys.executable, "-c", _SEALER],
            stdout=subprocess.PIPE,
            env={**os.environ, "DOCPROC_SEAL_PASSPHRASE": secret},
        )
        assert sealer.stdout is not None
        sealer.stdout.readline()
        with (
            socket.create_server(("127.0.0.1", 0)) as tcp,
            socket.socket(socket.AF_UNIX) as unix,
            socket.socket(socket.AF_UNIX) as abstract,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram,
        ):
            unix.bind(str(folder / "socket"))
            unix.listen()
            abstract.bind(f"\0docproc-{secret}")
            abstract.listen()
            datagram.bind(str(folder / "datagram"))
            memory = ctypes.create_string_buffer(secret.encode())
            yield {
                **{
                    file: str(folder / file) for file in ("database", "seal_key", "passphrase", "process_key", "victim")
                },
                "data": name,
                "root": "/",
                "home": str(Path.home()) if Path.home().is_dir() else "/",
                "temporary": "/tmp",
                "passwd": "/etc/passwd",
                "package": str(Path(parent.__file__).parent),
                "secret": secret,
                "service": os.getpid(),
                "sealer": sealer.pid,
                "address": ctypes.addressof(memory),
                "port": tcp.getsockname()[1],
                "unix": str(folder / "socket"),
                "datagram": str(folder / "datagram"),
                "abstract": f"docproc-{secret}",
            }
        sealer.kill()
        sealer.wait()


def picture() -> bytes:
    """A file that every target opens."""
    return np.asarray(cv2.imencode(".png", np.full((40, 40, 3), 255, np.uint8))[1], np.uint8).tobytes()


def free(goal: JsonObject) -> list[str]:
    """What the harmless ones reach from a process that nothing shuts in, each in a process of its own."""
    reached = []
    for name in sorted(FREELY):
        child = os.fork()
        if child == 0:
            found = True
            with suppress(BaseException):
                found = bool(attempt([name], goal))
            os._exit(not found)
        if os.waitpid(child, 0)[1] == 0:
            reached.append(name)
    return reached


def shut_in(name: str, goal: JsonObject) -> JsonObject:
    """What the attempts reach through one production target."""
    module, attribute, hostile, use = TARGETS[name]
    production: Sandbox = getattr(module, attribute)
    watched = Watched(f"tests.security.hostile:{hostile}", production.policy)
    object.__setattr__(watched, "said", [])
    setattr(module, attribute, watched)
    stopped, reached, untold = [], [], []
    together = [[item for item in ATTEMPTS if item not in STOPPED], *([item] for item in ATTEMPTS if item in STOPPED)]
    try:
        for names in together:
            watched.said.clear()
            with suppress(DocprocError):
                use(picture() + MARK + json.dumps({"names": names, "goal": goal}).encode())
            said = watched.said[0] if watched.said else "nothing"
            if said.startswith(REACHED):
                reached += json.loads(said.removeprefix(REACHED))
            elif _Stopped.lines:
                stopped += names
            else:
                untold.append((names, said))
            _Stopped.lines.clear()
        return {"held": watched.held().to_json(), "reached": reached, "stopped": sorted(stopped), "untold": untold}
    finally:
        watched.close()
        setattr(module, attribute, production)


class _Stopped(logging.Handler):
    """Collects what the service's log says of parsers that were stopped."""

    lines: list[str] = []  # noqa: RUF012

    def emit(self, record: logging.LogRecord) -> None:
        if "stopped by its filter" in record.getMessage():
            self.lines.append(record.getMessage())


def refuse_namespaces() -> None:
    """As container engines do for processes without capabilities."""
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in ("unshare", "setns", "mount"):
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
    rules.load()


def main() -> None:
    if "--no-namespaces" in sys.argv:
        refuse_namespaces()
    logging.basicConfig(level="WARNING", handlers=[_Stopped()])
    with goals() as goal:
        found = {name: shut_in(name, goal) for name in TARGETS}
        whole = Path(goal["victim"]).read_bytes() == goal["secret"].encode()
        told = {"targets": found, "uid": os.getuid(), "victim_is_whole": whole}
        told["free"] = free(goal) if "--free" in sys.argv else []
    print(json.dumps(told))


if __name__ == "__main__":
    main()
