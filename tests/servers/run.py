"""Run a command beside a fresh PostgreSQL and MinIO: ``python -m tests.servers.run docproc bench flow …``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers.objects import restartable_minio
from tests.servers.postgres import restartable_cluster


def run(command: Sequence[str]) -> int:
    """Run it with the servers in its settings; returns its exit status."""
    with (
        tempfile.TemporaryDirectory(prefix="docproc-servers-") as folder,
        restartable_cluster(durable=True) as (url, _),
        restartable_minio(Path(folder)) as (s3, _),
    ):
        env = {
            "DOCPROC_DATABASE_URL": url,
            "DOCPROC_BLOBS": s3.url("papers"),
            "DOCPROC_S3_ACCESS_KEY": s3.access_key,
            "DOCPROC_S3_SECRET_KEY": s3.secret_key,
            "DOCPROC_S3_SECURE": "false",
        }
        return subprocess.run(command, env={**os.environ, **env}, check=False).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
