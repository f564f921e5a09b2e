"""Run a program where nothing of this machine is known to it: no network, no settings, an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.servers.processes import find_program

_ROOT = Path(__file__).resolve().parents[2]


def docproc_alone(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command ``docproc`` in an empty folder, in a network namespace of its own that leads nowhere."""
    folder.mkdir(exist_ok=True)
    unshare = find_program("unshare", "scripts/servers tools")
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = [unshare, *user, "--net", sys.executable, "-m", "docproc.cli", *arguments]
    known = {"PATH": os.defpath, "PYTHONPATH": str(_ROOT), "HOME": str(folder), "LANG": "C.UTF-8"}
    return subprocess.run(list(map(str, command)), cwd=folder, env=known, capture_output=True, text=True, check=False)
