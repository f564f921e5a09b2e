"""The child's side of verifying: one examination in a throw-away process.

:mod:`docproc.licence.verify.verify_limited` is the other side.
"""

from __future__ import annotations

import json
from datetime import datetime

from docproc.canonical import JsonObject
from docproc.licence.pki import offline  # noqa: F401  (for its effect)
from docproc.licence.pki.trust import TrustList
from docproc.licence.verify.verify import examine


def examine_job(data: bytes, options: JsonObject) -> tuple[JsonObject, tuple[()]]:
    """Examine a file.

    Args:
        data: a trust list as JSON, then the file.
        options: ``trust_bytes``, the length of the trust list, and ``at``, the moment to judge for.
    """
    size = int(options["trust_bytes"])
    trust = TrustList.from_json(json.loads(data[:size]))
    return examine(data[size:], trust, datetime.fromisoformat(options["at"])).to_json(), ()
