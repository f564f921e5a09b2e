"""Worker processes that kill themselves (SIGKILL) once at a named point; a file ``die-at`` in the data folder names it.

``STEP:start`` is before a step does anything, ``STEP:done`` after it is committed and before the engine knows;
``sealing`` is while a licence is being sealed, ``sealed`` when it is and nothing has been stored yet.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from docproc.domain import Licence
from docproc.flow.core.stages import Stages
from docproc.flow.jobs import meters
from docproc.flow.jobs.guardian import end_with_parent
from docproc.flow.worker import run_worker
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.log import configure
from docproc.settings import Settings
from tests.flow.small_stages import own_seals, read_file, sealer, sign_status

if __name__ == "__main__":
    settings = Settings()
    configure(settings.log_level, settings.log_json)
    end_with_parent()
    order = settings.data_dir / "die-at"
    seals = settings.data_dir / "seals-made"
    measured, make_seal = meters.timed, sealer(settings.data_dir)

    def here(point: str) -> None:
        if order.exists() and order.read_text() == point:
            order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        here(f"{step}:start")
        with measured(step):
            yield
        here(f"{step}:done")

    def seal_licence(licence: Licence, registered: RegisteredSeal, at: datetime) -> bytes:
        here("sealing")
        made: bytes = make_seal(licence, registered, at)
        with seals.open("a") as log:
            log.write("sealed\n")
        here("sealed")
        return made

    meters.timed = timed
    stages = Stages(read_file, seal_licence, own_seals=own_seals, sign_status=sign_status)
    ready = settings.data_dir / f"ready-{sys.argv[1]}"
    sys.exit(run_worker(settings, sys.argv[1], sys.argv[2].split(","), stages=stages, on_ready=ready.touch))
