"""The development PKI as a server process that tests stop and start: ``... -m tests.servers.pki FOLDER PORT SERVICES``.

SERVICES are those of ``tsa,ocsp,crl,ca`` that it offers; it hangs up on who asks for another.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docproc.flow.jobs.guardian import end_with_parent
from docproc.licence.devpki.pki_server import PkiHttpServer
from docproc.licence.devpki.responder import DevPki

SERVICES = ("tsa", "ocsp", "crl", "ca")


class PkiServer:
    """A server process of a PKI folder on a fixed port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *without: str) -> None:
        """Start it, without some services."""
        offered = ",".join(name for name in SERVICES if name not in without)
        command = [sys.executable, "-m", "tests.servers.pki", str(self.folder), str(self.port), offered]
        self._process = subprocess.Popen(command)
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the PKI server does not start")

    def kill(self) -> None:
        """End it at once; nobody answers on the port any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Let it hang: connections are taken and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)


def free_port() -> int:
    """A port of the loopback interface that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _main(folder: Path, port: int, offered: set[str]) -> None:
    end_with_parent()
    server = PkiHttpServer(DevPki(folder), lambda: datetime.now(UTC), "127.0.0.1", port)
    answering: Any = server.RequestHandlerClass

    class Partial(answering):  # type: ignore[misc]
        def parse_request(self) -> bool:
            offers = super().parse_request() and self.path.split("/")[1] in offered
            self.close_connection = self.close_connection or not offers
            return offers

    server.RequestHandlerClass = Partial
    server.serve_forever()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), set(sys.argv[3].split(",")))
