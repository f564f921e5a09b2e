"""A sealed file of our own, by which a process that verifies prepares itself."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import Examination
from docproc.licence.verify.verify import examine

SPECIMEN = Path(__file__).parent / "specimen_file"
"""A sealed file that nobody trusts, and whom to trust for it; made by ``scripts/specimen``."""


def examine_specimen() -> Examination:
    """Examine our own specimen, so that the process has loaded and prepared all that the examination of a file needs.

    asn1crypto prepares each kind of structure when it first meets it: half of what the first file in a process costs.
    """
    told = json.loads((SPECIMEN / "trust.json").read_text("utf-8"))
    data = (SPECIMEN / "specimen.pdf").read_bytes()
    return examine(data, TrustList.from_json(told["trust"]), datetime.fromisoformat(told["at"]))
