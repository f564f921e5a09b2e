"""Private S3 servers on loopback: MinIO, and the Versity gateway as a second maker's."""

from __future__ import annotations

import base64
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import HERE, Host, Server, find_program, free_port, running


@dataclass(frozen=True, slots=True)
class S3Server:
    """How to reach an S3 server that speaks plain HTTP."""

    endpoint: str
    """``host:port``."""
    access_key: str
    secret_key: str

    def url(self, bucket: str) -> str:
        """The value of ``DOCPROC_BLOBS`` for a bucket."""
        return f"s3://{self.endpoint}/{bucket}"


@contextmanager
def minio_server(folder: Path) -> Iterator[S3Server]:
    """Run MinIO on an empty folder."""
    with restartable_minio(folder) as (server, _):
        yield server


@contextmanager
def restartable_minio(folder: Path, host: Host = HERE) -> Iterator[tuple[S3Server, Server]]:
    """Run MinIO on an empty folder; the test may stop and start it. It can encrypt with a key of its own."""
    program = find_program("minio", "scripts/servers minio")
    server = _server(host)
    env = {
        "MINIO_ROOT_USER": server.access_key,
        "MINIO_ROOT_PASSWORD": server.secret_key,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_KMS_SECRET_KEY": f"test:{base64.b64encode(secrets.token_bytes(32)).decode()}",
    }
    (folder / "data").mkdir()
    command: list[str | Path] = [program, "server", "--quiet", "--address", server.endpoint]
    store: list[str | Path] = ["--certs-dir", folder / "certs", folder / "data"]
    health = f"http://{server.endpoint}/minio/health/ready"
    with running([*command, *store], lambda: _answers(health), folder / "log", env=env, host=host) as process:
        yield server, process


@contextmanager
def versity_server(folder: Path) -> Iterator[S3Server]:
    """Run the Versity gateway on an empty folder, with versioning."""
    program = find_program("versitygw", "scripts/servers versitygw")
    server = _server()
    for name in ("data", "versions"):
        (folder / name).mkdir()
    keys = {"ROOT_ACCESS_KEY_ID": server.access_key, "ROOT_SECRET_ACCESS_KEY": server.secret_key}
    command: list[str | Path] = [program, "--port", server.endpoint, "--health", "/health", "--quiet"]
    store: list[str | Path] = ["posix", "--versioning-dir", folder / "versions", folder / "data"]
    health = f"http://{server.endpoint}/health"
    with running([*command, *store], lambda: _answers(health), folder / "log", env=keys):
        yield server


def _server(host: Host = HERE) -> S3Server:
    return S3Server(f"{host.address}:{free_port()}", secrets.token_hex(8), secrets.token_hex(16))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
