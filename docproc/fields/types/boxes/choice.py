"""One of several options."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.text import normalise_text


def enum(raw: str, *, today: date) -> Checked:
    """Keys of chosen options, joined by commas; each once, in the order given."""
    keys = dict.fromkeys(key for part in re.split("[,;、/]", normalise_text(raw)) if (key := part.strip()))
    value = ",".join(keys)
    return good(value) if keys else bad(value, "请至少勾选一项")


TYPE = FieldType(
    name="choice",
    kind="choice",
    validator=enum,
    example="a",
    wrong=",",
    mask=None,
    sensitive=False,
    prefill="never",
)
