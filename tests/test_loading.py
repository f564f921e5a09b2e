"""What a process does not need it does not load: a service is many processes, and each pays as it starts."""

from __future__ import annotations

import subprocess
import sys

import pytest

DRAWING = {"fontTools", "pymupdf", "cv2"}
MIGRATING = {"alembic"}
SEALING = {"pyhanko"}
STORING = {"sqlalchemy", "dbos", "psycopg"}


@pytest.mark.parametrize(
    ("module", "with_it", "without"),
    [
        ("api.serve", "pydantic_settings", DRAWING | MIGRATING | SEALING | STORING),
        ("api.app", "fastapi", DRAWING | MIGRATING | SEALING | {"numpy", "openvino"}),
        ("docproc.flow.worker", "sqlalchemy", DRAWING | MIGRATING),
    ],
)
def test_a_process_starts_without_what_only_others_need(module: str, with_it: str, without: set[str]) -> None:
    code = f"import sys, {module}; print(*{{n.partition('.')[0] for n, m in sys.modules.items() if m}})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert with_it in loaded
    assert without.isdisjoint(loaded), without & set(loaded)
