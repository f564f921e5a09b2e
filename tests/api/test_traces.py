"""Traces of a service: one from the kiosk's request to the last worker, and nothing of anybody's paper in it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx

from tests.api.group import checked, decision, group, open_application, view
from tests.flow.people import trader_papers, until
from tests.flow.small_stages import paper
from tests.servers.collector import Collector, Span, collector

CALLERS_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def issue(kiosk: httpx.Client, reviewer: httpx.Client, sealer: httpx.Client, number: str) -> None:
    assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
    approved = reviewer.post(f"/v1/applications/{number}/decisions", json=decision(view(reviewer, number)))
    assert approved.status_code == 201, approved.text
    body = {"version": approved.json()["version"]}
    assert sealer.post(f"/v1/applications/{number}/release", json=body).status_code == 200
    until(lambda: view(kiosk, number)["licence"])


def ancestors(found: Collector, span: Span) -> list[str]:
    """Names from the span's parent up to the root."""
    by_id = {item.id: item for item in found.spans}
    names = []
    while span.parent in by_id:
        span = by_id[span.parent]
        names.append(span.name)
    return names


def test_one_trace_leads_from_the_request_through_the_queue_to_the_workers(tmp_path: Path) -> None:
    papers = trader_papers()
    with (
        collector() as found,
        group(tmp_path / "var", DOCPROC_TRACES_URL=found.url, DOCPROC_LOG_JSON="true") as running,
    ):
        kiosk, reviewer, sealer = (
            running.client(running.new_key(f"{role}-1", role)) for role in ("kiosk", "reviewer", "sealer")
        )
        number = open_application(kiosk)
        page_route = "POST /v1/applications/{number}/pages"
        for data in papers:
            traceparent = {"traceparent": f"00-{CALLERS_TRACE}-00f067aa0ba902b7-01"}
            answer = kiosk.post(f"/v1/applications/{number}/pages", content=data, headers=traceparent)
            assert answer.status_code == 201, answer.text
        checked(kiosk, number)
        issue(kiosk, reviewer, sealer, number)
        broken = kiosk.post(f"/v1/applications/{open_application(kiosk)}/pages", content=paper([], fail=True))
        assert broken.status_code == 201
        until(lambda: found.named("register") and found.named("fan_out"))
        until(lambda: len(found.named("read_and_store")) > len(papers))
        for client in (kiosk, reviewer, sealer):
            client.close()
    reading = [span for span in found.named("read_and_store") if span.trace == CALLERS_TRACE]
    assert len(reading) == len(papers)
    for span in reading:
        way = ancestors(found, span)
        assert span.process.endswith("-read-1") and (way[0], way[-1]) == ("read_page", page_route)
    checking = [span for span in found.named("check_and_store") if span.trace == CALLERS_TRACE]
    assert checking and "read_page" in ancestors(found, checking[0]), "a job that a job queued goes on in its trace"
    sealed = found.named("register")[0]
    assert sealed.process.endswith("-seal")
    way = ancestors(found, sealed)
    assert (way[0], way[-1]) == ("issue_licence", "POST /v1/applications/{number}/release")
    assert {span.process for span in found.spans} >= {"web", sealed.process, reading[0].process}
    tells_no_value(found, running.folder / "log")


def tells_no_value(found: Collector, log: Path) -> None:
    """No value of a field is in anything that was sent, though errors repeat them and libraries would hang them on."""
    sent = b"".join(found.raw).decode("utf-8", "replace")
    values = {
        value["value"]
        for data in trader_papers()
        for reading in json.loads(data[8:])["readings"]
        for value in reading["fields"].values()
        if value["value"] and len(value["value"]) > 3
    }
    assert len(values) > 5
    assert [value for value in values if value in sent] == []
    assert all(span.status == "" and span.events == 0 for span in found.spans)
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    traced = {line["trace"] for line in lines if "trace" in line}
    assert traced and traced <= {span.trace for span in found.spans}, "log lines lead to their traces"


def test_a_collector_that_is_away_costs_no_work_and_no_time_at_the_end(tmp_path: Path) -> None:
    with group(tmp_path / "var", DOCPROC_TRACES_URL="http://127.0.0.1:9/v1/traces") as running:
        with running.client(running.new_key("kiosk-1", "kiosk")) as kiosk:
            number = open_application(kiosk)
            assert kiosk.post(f"/v1/applications/{number}/pages", content=paper([])).status_code == 201
            checked(kiosk, number)
        started = time.monotonic()
        running.process.terminate()
        running.process.wait(40)
        assert time.monotonic() - started < 25
