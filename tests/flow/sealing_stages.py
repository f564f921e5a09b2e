"""Worker processes that read as the small stages do and seal as the service does, with the key in the settings.

Run as ``python -m tests.flow.sealing_stages NAME QUEUES`` with the settings in the environment.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from docproc.flow.jobs.guardian import end_with_parent
from docproc.flow.real_stages import real_stages
from docproc.flow.worker import run_worker
from docproc.log import configure
from docproc.settings import Settings
from tests.flow.small_stages import read_file

if __name__ == "__main__":
    settings = Settings()
    configure(settings.log_level, settings.log_json)
    end_with_parent()
    stages = replace(real_stages(settings), read_file=read_file, draw_pages=lambda data: ())
    sys.exit(run_worker(settings, sys.argv[1], sys.argv[2].split(","), stages=stages))
