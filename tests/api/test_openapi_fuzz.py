"""Requests made up from the OpenAPI document, by a caller who may do everything; the service never fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from docproc.flow.core.access import ROLES
from tests.api.group import Group

EXAMPLES = 4
"""Made-up requests for each operation."""


def test_no_made_up_request_makes_the_service_fail(server: Group, tmp_path: Path) -> None:
    key = server.new_key("everything-1", *ROLES)
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{server.base}/openapi.json"]
    options = {
        "--header": f"Authorization: Bearer {key}",
        "--include-path-regex": "^/v1/",
        "--checks": "not_a_server_error",
        "--phases": "fuzzing",
        "--max-examples": str(EXAMPLES),
        "--seed": "1",
        "--suppress-health-check": "all",
        "--request-timeout": "30",
    }
    words = [str(word) for pair in options.items() for word in pair]
    run = subprocess.run(
        [*command, *words, "--generation-deterministic", "--no-color"],
        capture_output=True,
        text=True,
        timeout=400,
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks", "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "0 tested" not in run.stdout
    assert httpx.get(server.base + "/readyz").status_code == 200
