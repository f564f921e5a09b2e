"""Start and end the OpenID Connect provider of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flow.people import until

CLIENT, SECRET = "docproc-sample", "a-secret-of-the-sample-provider-for-tests-only"


@contextmanager
def oidc_provider(folder: Path, public_url: str) -> Iterator[str]:
    """The issuer of a running provider at which the service at ``public_url`` is known."""
    place = folder / "issuer"
    command = [sys.executable, "-m", "tests.servers.oidc_provider", str(place), CLIENT, SECRET]
    env = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}  # on loopback there is no TLS
    process = subprocess.Popen([*command, public_url + "/office/oidc/callback"], env=env)
    try:
        until(lambda: place.exists() or process.poll() is not None)
        yield place.read_text()
    finally:
        process.terminate()
        process.wait(10)
