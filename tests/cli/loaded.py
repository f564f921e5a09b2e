"""Run a command of the command line and tell what it loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_CODE = """
import sys
from docproc.cli.main import main
sys.argv[0] = "docproc"
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def loaded_by(*arguments: str | Path) -> tuple[int, set[str], str]:
    """Exit status of a command, the packages that were loaded at its end, and what it printed."""
    done = subprocess.run([sys.executable, "-c", _CODE, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, set(done.stderr.split()), done.stdout
