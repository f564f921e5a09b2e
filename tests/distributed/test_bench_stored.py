"""What a page costs is measured beside few and many stored applications, in one run."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from docproc.cli.main import app
from docproc.errors import InputError
from docproc.store.db import open_database
from docproc.store.upkeep.filling import fill
from tests.servers.objects import S3Server


def test_a_page_costs_about_the_same_beside_many_applications(
    postgres_url: str, minio: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"S3_ACCESS_KEY": minio.access_key, "S3_SECRET_KEY": minio.secret_key, "S3_SECURE": "false"}
    for name, value in {"DATABASE_URL": postgres_url, "BLOBS": minio.url("stored"), **keys}.items():
        monkeypatch.setenv(f"DOCPROC_{name}", value)
    done = CliRunner().invoke(app, ["bench", "stored", "--rows", "100,5000", "--rounds", "2", "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    few, many = result["sizes"]
    assert (few["stored"], many["stored"], few["pages"], many["pages"]) == (100, 5000, 10, 10)
    for item in (few, many):
        parts = [item[name] for name in ("hand_in", "worker", "database")]
        assert all(part > 0 for part in parts) and sum(parts) == pytest.approx(item["cpu_s_page"], abs=0.001)
    assert result["ratio"] == pytest.approx(many["cpu_s_page"] / few["cpu_s_page"], abs=0.01)
    assert result["ratio"] < 1.5  # so few pages tell little more on a busy machine


def test_only_postgresql_is_filled(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('fill') / 'x.db'}")
    with pytest.raises(InputError, match="PostgreSQL"):
        fill(database, 10)
    database.close()
