"""``docproc verify`` on one file and on many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docproc.licence.devpki.responder import DevPki
from tests.cli.loaded import loaded_by


def test_a_file_is_verified_without_a_database_where_there_is_none(
    sealed: bytes, pki: DevPki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "licence.pdf").write_bytes(sealed)
    status, loaded, told = loaded_by("verify", "licence.pdf", "--trust", pki.folder / "trust", "--json")
    assert (status, json.loads(told)["indication"]) == (0, "TOTAL-PASSED")
    assert not loaded & {"sqlalchemy", "dbos", "numpy", "cv2", "aiohttp"}


def test_many_files_are_told_in_the_order_in_which_they_were_given(sealed: bytes, pki: DevPki, tmp_path: Path) -> None:
    good = [tmp_path / f"{number}.pdf" for number in range(7)]
    for file in good:
        file.write_bytes(sealed)
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(sealed.replace(b"%%EOF", b"%%EOG", 1))
    files = [*good[:3], bad, *good[3:]]
    status, _, told = loaded_by("verify", *files, "--trust", pki.folder / "trust", "--json")
    found = json.loads(told)
    assert status == 1
    assert [item["file"] for item in found["results"]] == [str(file) for file in files]
    assert [item["indication"] == "TOTAL-PASSED" for item in found["results"]] == [file != bad for file in files]
