"""The whole flow is measured to its end, with what each page costs, on both kinds of stores."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from docproc.bench.flow import ratios
from docproc.bench.service import fresh_service, steady_rate
from docproc.cli.main import app
from docproc.errors import SetupError
from tests.servers.objects import S3Server


def test_the_flow_is_measured_with_real_reading_and_sealing_on_real_servers(
    postgres_url: str, minio: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"S3_ACCESS_KEY": minio.access_key, "S3_SECRET_KEY": minio.secret_key, "S3_SECURE": "false"}
    for name, value in {"DATABASE_URL": postgres_url, "BLOBS": minio.url("flow"), **keys}.items():
        monkeypatch.setenv(f"DOCPROC_{name}", value)
    given = ["--stores", "distributed", "--workers", "2", "--applications", "3"]
    done = CliRunner().invoke(app, ["bench", "flow", *given, "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    (run,) = result["runs"]
    assert (run["store"], run["workers"], result["ratios"]) == ("distributed", 2, [])
    assert run["pages"] == run["stages"]["read_and_store"]["times"] == 15
    assert run["stages"]["seal_and_keep"]["times"] == run["stages"]["register"]["times"] == 3
    assert run["cpu_s_page"] > 0 and run["pages_per_second"] > 0 and run["seals_per_second"] > 0
    engine = sa.create_engine(postgres_url)
    with engine.connect() as connection:  # its database is gone again
        assert not connection.scalar(sa.text("SELECT count(*) FROM pg_database WHERE datname LIKE 'docproc_bench%'"))
    engine.dispose()


def test_without_servers_the_settings_to_set_are_named() -> None:
    with pytest.raises(SetupError, match="DOCPROC_DATABASE_URL"), fresh_service("distributed"):
        pass


def test_more_workers_are_compared_with_the_fewest_on_the_same_store() -> None:
    def found(store: str, number: int, rate: float) -> dict[str, object]:
        return {"store": store, "workers": number, "pages_per_second": rate, "seals_per_second": 10 * rate}

    runs = [found("embedded", 2, 3.8), found("embedded", 1, 2.0), found("distributed", 1, 1.0)]
    assert ratios(runs) == [{"store": "embedded", "workers": [1, 2], "pages_per_second": 1.9, "seals_per_second": 1.9}]


def test_only_the_time_in_which_everybody_had_work_counts() -> None:
    """Two workers, six files: from the first one that was read until fewer than two are left."""
    started = time.monotonic()
    answers, warm = iter([0, 1, 1, 2, 3, 4, 5, 6]), iter([False, True])
    done, seconds = steady_rate(lambda: next(answers), lambda: next(warm), 2, 6, lambda *_: None)
    assert done == 4  # from one to five
    assert 0.3 < seconds < time.monotonic() - started
    few = iter([1, 1, 2])
    assert steady_rate(lambda: next(few), lambda: True, 2, 2, lambda *_: None)[0] == 1
    with pytest.raises(SetupError, match="more applications"):
        steady_rate(lambda: 6, lambda: True, 2, 6, lambda *_: None)


def test_what_was_done_at_once_counts_from_when_it_was_given_out() -> None:
    given_out = time.monotonic() - 3
    done, seconds = steady_rate(lambda: 6, lambda: True, 2, 6, lambda *_: None, given_out)
    assert done == 6 and 3 <= seconds <= time.monotonic() - given_out


def test_workers_that_cannot_be_counted_are_refused() -> None:
    done = subprocess.run([".venv/bin/docproc", "bench", "flow", "--workers", "0,x"], capture_output=True, text=True)
    assert done.returncode == 2 and "whole numbers" in done.stderr
