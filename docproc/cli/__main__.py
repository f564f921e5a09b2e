"""``python -m docproc.cli``: the command line without the installed script."""

from __future__ import annotations

from docproc.cli.main import main

main()
