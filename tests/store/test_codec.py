"""Readings survive storing without loss."""

from __future__ import annotations

import json

from docproc.domain import GOOD, ArcCharacter, ArcPlace, Field, Finding, PageReading, Quality, Seal
from docproc.store.codec import reading_from_json, reading_to_json

ARC = ArcPlace(0.25, False, (ArcCharacter("样", 0.98, 0.99), ArcCharacter("祥", 0.01, 0.02)))
SEAL = Seal("样例", 0.97, (1.0, 2.0, 301.0, 302.0), "round", 0.99, (ARC,))


def test_a_reading_comes_back_as_it_was() -> None:
    rivals = (("样例甲", 0.0), ("样例乙", 1.25))
    fields = {
        "name": Field("name", None, "样例", 0.4, (1.0, 2.5, 3.0, 4.0), 2, "repair", ("样例甲", "样例乙"), rivals),
        "stamp": Field("stamp", "", "", 1.0, None, 1),
        "sealed": Field("sealed", "present", "样例", 0.9, None, 1, seals=(SEAL,)),
    }
    quality = Quality("rescan", (Finding("blur", "fix", "图像模糊", "idcard", None, "依据"),))
    reading = PageReading("a.jpg", 3, "idcard", "free", quality, fields, 2, "2023-12", "ABC", 1.25, 180)
    assert reading_from_json(json.loads(json.dumps(reading_to_json(reading)))) == reading


def test_what_another_version_wrote_is_read() -> None:
    """During an upgrade a process of the old version reads pages that one of the new version stored, and back."""
    reading = PageReading("a.jpg", 0, "idcard", "free", GOOD, {"name": Field("name", "样例", "样例", 0.9, None, 1)})
    newer = json.loads(json.dumps(reading_to_json(reading)))
    newer["of_the_next_version"] = newer["fields"]["name"]["of_the_next_version"] = {"some": "thing"}
    assert reading_from_json(newer) == reading
    older = json.loads(json.dumps(reading_to_json(reading)))
    del older["fields"]["name"]["rivals"], older["fields"]["name"]["seals"], older["turn"]
    assert reading_from_json(older) == reading
