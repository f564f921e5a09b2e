"""Debian's nginx over TLS before the service, by the file that is shipped (``deploy/nginx/nginx.conf``)."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import find_program, free_port, running

FILE = Path(__file__).resolve().parents[2] / "deploy" / "nginx" / "nginx.conf"
SBIN = Path("/usr/sbin")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running nginx."""

    port: int
    plain_port: int
    log: Path
    """What it printed, its access log too."""
    tls: ssl.SSLContext
    """Trusts its certificate."""

    @property
    def base(self) -> str:
        """Its address."""
        return f"https://localhost:{self.port}"


@contextmanager
def nginx(folder: Path, upstream: str, port: int) -> Iterator[Proxy]:
    """nginx on a loopback port, with a certificate of its own for ``localhost``; ``upstream`` is HOST:PORT."""
    program = find_program("nginx", "scripts/servers proxy", SBIN)
    openssl = find_program("openssl", "scripts/servers tools")
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "server.key", folder / "server.crt"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*made, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    plain, log = free_port(), folder / "log"
    text = FILE.read_text()
    for ours, there in (
        ("server web:8000;", f"server {upstream};"),
        ("listen 8080;", f"listen 127.0.0.1:{plain};"),
        ("listen 8443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        ("/etc/nginx/tls", str(folder)),
        ("/dev/stdout", str(log)),
        ("pid /tmp", f"pid {folder}"),
        ("temp_path /tmp", f"temp_path {folder}"),
    ):
        assert ours in text, ours
        text = text.replace(ours, there)
    (folder / "nginx.conf").write_text(text)
    folder.chmod(0o755)
    command = [str(program), "-e", "stderr", "-c", str(folder / "nginx.conf"), "-g", "daemon off; user root;"]
    with running(command, lambda: _answers(port), folder / "printed"):
        yield Proxy(port, plain, log, ssl.create_default_context(cafile=str(certificate)))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
