"""Readings survive storing without loss."""

from __future__ import annotations

import json

from docproc.domain import Field, Finding, PageReading, Quality
from docproc.store.codec import reading_from_json, reading_to_json


def test_a_reading_comes_back_as_it_was() -> None:
    fields = {
        "name": Field("name", None, "样例", 0.4, (1.0, 2.5, 3.0, 4.0), 2, "repair", ("样例甲", "样例乙")),
        "stamp": Field("stamp", "", "", 1.0, None, 1),
    }
    quality = Quality("rescan", (Finding("blur", "fix", "图像模糊", "idcard", None, "依据"),))
    reading = PageReading("a.jpg", 3, "idcard", "free", quality, fields, 2, "2023-12", "ABC", 1.25)
    assert reading_from_json(json.loads(json.dumps(reading_to_json(reading)))) == reading
