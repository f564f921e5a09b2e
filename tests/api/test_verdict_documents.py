"""Verdicts as documents and the status list over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pymupdf
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from docproc.flow.jobs.engine import migrate_all
from docproc.licence.devpki.pki import make_dev_pki
from docproc.settings import Settings
from docproc.store.db import open_database
from docproc.store.licences import licences


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    make_dev_pki(tmp_path / "pki", at=datetime.now(UTC))
    settings = Settings(data_dir=tmp_path, trust_dir=tmp_path / "pki" / "trust", _env_file=None)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    with TestClient(create_app(settings)) as opened:
        yield opened


def test_any_file_gets_a_page_and_an_xml_report(client: TestClient) -> None:
    page = client.post("/v1/licences/verify/report", content=b"junk")
    assert (page.status_code, page.headers["content-type"]) == (200, "application/pdf")
    with pymupdf.open(stream=page.content) as pdf:
        assert "结论：无法核验" in pdf[0].get_text()
    xml = client.post("/v1/licences/verify/report?format=xml", content=b"junk")
    assert xml.headers["content-type"] == "application/xml"
    assert ET.fromstring(xml.content).tag.endswith("ValidationReport")
    assert client.post("/v1/licences/verify/report?format=doc", content=b"junk").status_code == 422


def test_the_status_list_is_given_out_as_it_was_signed(client: TestClient) -> None:
    missing = client.get("/v1/status-list")
    assert missing.status_code == 503 and "retry-after" in missing.headers
    with client.app.state.context.database.write() as session:  # type: ignore[attr-defined]
        licences.add_status_list(session, 1, datetime.now(UTC), "old.list.x")
        licences.add_status_list(session, 2, datetime.now(UTC), "new.list.y")
    given = client.get("/v1/status-list")
    assert (given.text, given.headers["content-type"]) == ("new.list.y", "application/jose")
