"""A renewal sweep in a process that a test kills: ``python -m tests.flow.renewing_process DATA PKI``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from docproc.flow.core.context import open_context
from docproc.flow.licences.renewal import renew_due
from docproc.licence.devpki.responder import DevPki
from docproc.licence.seal.renew import renew
from docproc.settings import Settings

if __name__ == "__main__":
    data, pki = Path(sys.argv[1]), DevPki(Path(sys.argv[2]))
    stamper, trust, done = pki.timestamper(lambda: datetime.now(UTC)), pki.seal_trust(), data / "done"

    def note() -> None:
        with done.open("a") as log:
            log.write("x")

    ctx = open_context(Settings(data_dir=data, _env_file=None))
    renew_due(ctx, lambda pdf, at: renew(pdf, stamper, trust, at=at), on_done=note)
    ctx.close()
