"""Measurements, the interface's page and the log: nothing of the inside is told outside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from docproc.flow.jobs.engine import migrate_all
from docproc.log import JsonLines
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.api.group import group
from tests.servers.processes import free_port


def app(folder: Path, **given: object) -> FastAPI:
    settings = Settings(data_dir=folder, _env_file=None, **given)  # type: ignore[arg-type]
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    return create_app(settings)


def test_measurements_are_told_at_a_port_of_their_own(tmp_path: Path) -> None:
    port = free_port()
    with TestClient(app(tmp_path, metrics_port=port, metrics_host="127.0.0.1")) as client:
        assert client.get("/metrics").status_code == 404
        client.get("/healthz")
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    assert 'docproc_http_requests_total{method="GET",route="/healthz",status="200"}' in text
    assert 'docproc_jobs_waiting{lane="person",queue="read"}' in text
    assert "/metrics" not in text


def test_processes_under_one_parent_have_ports_of_their_own(tmp_path: Path) -> None:
    port = free_port()
    with group(tmp_path / "var", DOCPROC_METRICS_PORT=str(port), DOCPROC_METRICS_HOST="127.0.0.1"):
        web, reader, sealer = (httpx.get(f"http://127.0.0.1:{port + n}/metrics", timeout=10).text for n in range(3))
    assert "docproc_http_requests_total" in web
    assert "docproc_step_seconds" in reader and "docproc_step_seconds" in sealer


def test_an_error_of_ours_has_a_number_in_answer_and_log_and_tells_nothing(tmp_path: Path, capsys: object) -> None:
    import logging

    lines: list[dict[str, object]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonLines().format(record)))

    made = app(tmp_path)

    @made.get("/v1/breaks/{secret}")
    @made.get("/office/breaks/{secret}")
    def breaks(secret: str) -> None:
        raise KeyError(f"value of {secret}")

    handler = Kept()
    logging.getLogger().addHandler(handler)
    try:
        with TestClient(made, raise_server_exceptions=False) as client:
            problem = client.get("/v1/breaks/code-of-a-case", params={"name": "样例甲"})
            page = client.get("/office/breaks/code-of-a-case", headers={"Accept": "text/html"})
    finally:
        logging.getLogger().removeHandler(handler)
    assert problem.status_code == page.status_code == 500
    assert problem.headers["content-type"] == "application/problem+json"
    number = problem.json()["failure"]
    assert re.fullmatch("[0-9a-f]{12}", number) and number in problem.json()["detail"]
    assert number in [line.get("failure") for line in lines]
    shown = re.search(r"编号 ([0-9a-f]{12})", page.text)
    assert shown and shown[1] in [line.get("failure") for line in lines]
    assert "KeyError" in json.dumps(lines) and "KeyError" not in problem.text + page.text
    assert "code-of-a-case" not in json.dumps(lines) and "样例甲" not in json.dumps(lines, ensure_ascii=False)


def test_the_server_itself_logs_json_lines(tmp_path: Path) -> None:
    """What is no HTTP, and the end of a process, too."""
    import socket

    with group(tmp_path / "var", DOCPROC_LOG_JSON="true") as running:
        host, port = running.base.removeprefix("http://").split(":")
        for sent in (b"\x16\x03\x01 no http at all\r\n\r\n", b"GET /p/code-of-a-case HTTP/9.9\r\n\r\n"):
            with socket.create_connection((host, int(port)), timeout=10) as line:
                line.sendall(sent)
                line.recv(1000)
    text = (running.folder / "log").read_text()
    for line in filter(None, text.splitlines()):
        assert isinstance(json.loads(line), dict), line
    assert "code-of-a-case" not in text
