"""A service that was killed is started again at once, by whatever keeps it alive, and must come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.group import group, spawn
from tests.servers.processes import free_port

SLOW_START = """
import os, sys, time
if "api.web" in sys.orig_argv:
    time.sleep(float(os.environ.get("SLOW_START", "0")))
"""


def test_a_service_killed_while_it_starts_comes_back_on_its_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = str(free_port())
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text(SLOW_START)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "slow"))
    monkeypatch.setenv("SLOW_START", "2")
    first, _ = spawn(tmp_path / "data", "tests.flow.small_stages", DOCPROC_PORT=port)
    assert first.stdout is not None
    while "docproc listens" not in first.stdout.readline():
        assert first.poll() is None
    first.kill()  # its web process is still loading, and holds the port
    first.wait()
    first.stdout.close()
    monkeypatch.delenv("SLOW_START")
    with group(tmp_path / "data", DOCPROC_PORT=port) as again:
        assert again.base.endswith(f":{port}")
