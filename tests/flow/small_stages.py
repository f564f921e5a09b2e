"""Small real stages for worker processes: a reader of files that carry their own readings, a sealer that only frames.

Run as ``python -m tests.flow.small_stages NAME QUEUES`` with the settings in the environment.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from docproc.domain import Licence, PageReading, Said
from docproc.errors import SealError, SealUnavailableError, UnsupportedFileError
from docproc.flow.core.stages import Stages
from docproc.flow.jobs.guardian import end_with_parent
from docproc.flow.worker import run_worker
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, BASE_URL, SEAL, issue, new_p256, seal_subject
from docproc.licence.page.record import licence_json
from docproc.licence.seal.registered_seal import RegisteredSeal, to_der
from docproc.licence.seal.status_list import StatusList
from docproc.log import configure
from docproc.matter.model import Matter
from docproc.read.free.unread import with_unread_fields
from docproc.settings import Settings
from docproc.store.codec import reading_from_json, reading_to_json

MAGIC = b"\x89PNG\r\n\x1a\n"


def paper(readings: Sequence[PageReading], **extra: Any) -> bytes:
    """A file that says ``readings``; ``sleep`` seconds, ``crash`` or ``fail`` make its reader do that.

    ``named`` holds, by material, what a page reads as where a person names it as that.
    """
    return MAGIC + json.dumps({"readings": [reading_to_json(r) for r in readings], **extra}).encode()


def read_file(
    data: bytes,
    filename: str,
    matter: Matter,
    *,
    material: str | None,
    said: Mapping[int, Said] | None = None,
    today: date,
) -> Sequence[PageReading]:
    try:
        body = json.loads(data.rpartition(MAGIC)[2])  # it may stand behind a picture
    except ValueError:
        raise UnsupportedFileError("not one of our papers") from None
    time.sleep(body.get("sleep", 0))
    if body.get("crash"):
        os.kill(os.getpid(), signal.SIGKILL)
    if body.get("fail"):
        raise RuntimeError(f"the reader has a defect at {body['fail']}")
    found = [replace(reading_from_json(r), file=filename) for r in body["readings"]]
    if said is None:
        return found
    return [as_said(page, said[page.index], matter, body.get("named", {})) for page in found if page.index in said]


def as_said(page: PageReading, said: Said, matter: Matter, named: dict[str, Any]) -> PageReading:
    """A page as what a person says it is: read, where the file says so, else a claim."""
    if said.material in named:
        return replace(reading_from_json(named[said.material]), file=page.file, index=page.index)
    claim = replace(page, material=said.material, page=said.page, claimed=True, fields={})
    return with_unread_fields(claim, matter)


def sealer(folder: Path) -> Any:
    """Seals by a frame around the licence; files ``tsa-down`` and ``seal-revoked`` in the folder make it refuse."""

    def seal_licence(licence: Licence, registered: RegisteredSeal, at: datetime) -> bytes:
        if (folder / "tsa-down").exists():
            raise SealUnavailableError("TSA is down")
        if (folder / "seal-revoked").exists():
            raise SealError("certificate revoked", message_zh="印章证书已撤销")
        time.sleep(0.3)
        return b"%PDF-1.7 " + secrets.token_bytes(16) + licence_json(licence)

    return seal_licence


def own_seals() -> list[RegisteredSeal]:
    """The seals of the sample authority, under a certificate made here."""
    start = datetime.now(UTC) - timedelta(hours=1)
    certificate = issue(None, seal_subject(AUTHORITY, AUTHORITY_CODE), SEAL, start, BASE_URL, new_p256()).certificate
    return [
        RegisteredSeal(
            name=name,
            owner=AUTHORITY,
            owner_code=AUTHORITY_CODE,
            kind="official",
            filing_number="SAMPLE-1",
            certificates=to_der([certificate]),
            diameter=42.0,
            art=zlib.compress(b"0 0 m"),
            licence_kinds=kinds,
            valid_from=start,
            valid_to=start + timedelta(days=1000),
        )
        for name, kinds in (
            ("market_regulation", ("food_business", "sole_trader", "correction_notice")),
            ("social_insurance", ("social_insurance", "correction_notice")),
        )
    ]


def sign_status(content: StatusList) -> str:
    """The list in clear, for tests to look into."""
    standings = {number: item.status for number, item in content.standings.items()}
    return json.dumps({"standings": standings, "superseded": sorted(content.superseded)})


if __name__ == "__main__":
    settings = Settings()
    configure(settings.log_level, settings.log_json)
    end_with_parent()
    stages = Stages(read_file, sealer(settings.data_dir), own_seals=own_seals, sign_status=sign_status)
    ready = settings.data_dir / f"ready-{sys.argv[1]}"
    sys.exit(run_worker(settings, sys.argv[1], sys.argv[2].split(","), stages=stages, on_ready=ready.touch))
