"""The renewal sweep over a registered licence with a real seal and real time-stamps."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from docproc.errors import SealUnavailableError
from docproc.flow.core.context import Context, utc_now
from docproc.flow.licences.renewal import look, renew_due
from docproc.flow.licences.verification import StoredRegister
from docproc.licence.devpki.pki import make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.seal.renew import renew
from docproc.licence.verify.verify import verify
from docproc.settings import Settings
from docproc.store.licences import licences
from tests.flow.people import until
from tests.flow.sealed import LICENCE, NUMBER, register


@pytest.fixture
def pki(tmp_path: Path) -> DevPki:
    make_dev_pki(tmp_path / "pki", at=utc_now())
    return DevPki(tmp_path / "pki")


@pytest.fixture
def registered(ctx: Context, pki: DevPki) -> str:
    """SHA-256 of the file of one licence in the register."""
    return register(ctx, pki)


def current(ctx: Context) -> list[tuple[str, str]]:
    with ctx.database.read() as session:
        return [(item.sha256, item.reason) for item in licences.files_of(session, NUMBER)]


def test_what_is_not_due_is_left_alone(ctx: Context, registered: str) -> None:
    sweep = renew_due(ctx, lambda pdf, at: pdf)
    assert (sweep.looked, sweep.due, sweep.renewed) == (1, 0, 0)
    known = look(ctx)
    assert known.ends == {str((utc_now() - timedelta(days=1) + timedelta(days=6 * 365.25)).year): 1}
    assert known.looked == 0, "an end that is known is not looked up again"


def test_a_due_licence_gets_a_new_file_and_keeps_the_former(ctx: Context, registered: str, pki: DevPki) -> None:
    trust = pki.seal_trust()
    stamper = pki.timestamper(utc_now)
    sweep = renew_due(ctx, lambda pdf, at: renew(pdf, stamper, trust, at=at), margin_days=7 * 365)
    assert (sweep.due, sweep.renewed, sweep.failed) == (1, 1, {})
    (first, _), (second, reason) = sorted(current(ctx), key=lambda item: item[0] != registered)
    assert (first, reason) == (registered, "renewed")
    data = ctx.blobs.get(second)
    assert data.startswith(ctx.blobs.get(registered)) and hashlib.sha256(data).hexdigest() == second
    register = StoredRegister(ctx)
    found = [register.by_sha256(digest) for digest in (first, second)]
    assert [item.issued for item in found if item is not None] == ["superseded", "as-issued"]


def test_without_a_time_stamp_service_nothing_changes_and_the_next_sweep_goes_on(
    ctx: Context, registered: str, pki: DevPki
) -> None:
    def away(pdf: bytes, at: datetime) -> bytes:
        raise SealUnavailableError("TSA is down")

    with pytest.raises(SealUnavailableError):
        renew_due(ctx, away, margin_days=7 * 365)
    assert current(ctx) == [(registered, "issued")]
    trust, stamper = pki.seal_trust(), pki.timestamper(utc_now)
    again = renew_due(ctx, lambda pdf, at: renew(pdf, stamper, trust, at=at), margin_days=7 * 365)
    assert (again.looked, again.renewed) == (0, 1)


def test_a_file_that_is_not_good_is_named_and_left(ctx: Context, registered: str, tmp_path: Path) -> None:
    make_dev_pki(tmp_path / "other", at=utc_now())
    other = DevPki(tmp_path / "other")
    stamper = other.timestamper(utc_now)
    sweep = renew_due(ctx, lambda pdf, at: renew(pdf, stamper, other.seal_trust(), at=at), margin_days=7 * 365)
    assert (sweep.due, sweep.renewed, list(sweep.failed)) == (1, 0, [NUMBER])
    assert current(ctx) == [(registered, "issued")]


def test_a_sweep_killed_midway_goes_on_and_renews_each_licence_once(
    ctx: Context, pki: DevPki, settings: Settings
) -> None:
    numbers = [f"JY2990099{place:07d}" for place in range(1, 21)]
    first = {number: register(ctx, pki, replace(LICENCE, number=number)) for number in numbers}
    with ctx.database.write() as session:  # as if the service that stamped them ended soon
        licences.set_good_until(session, dict.fromkeys(first.values(), utc_now() + timedelta(days=30)))
    done = settings.data_dir / "done"
    command = [sys.executable, "-m", "tests.flow.renewing_process", str(settings.data_dir), str(pki.folder)]
    sweep = subprocess.Popen(command)
    until(lambda: done.exists() and len(done.read_text()) >= 5)
    sweep.kill()
    assert sweep.wait() == -signal.SIGKILL
    assert len(renewed(ctx, numbers)) < len(numbers), "it was killed midway"
    subprocess.run(command, check=True, timeout=120)
    assert renewed(ctx, numbers) == numbers
    register_of, trust = StoredRegister(ctx), pki.trust_list()
    for number in numbers:
        with ctx.database.read() as session:
            files = licences.files_of(session, number)
            current = licences.find_licence(session, number).sha256
        assert sorted(item.reason for item in files) == ["issued", "renewed"], "once, and nothing overwritten"
        assert current != first[number] and ctx.blobs.get(str(current)).startswith(ctx.blobs.get(first[number]))
        report = verify(ctx.blobs.get(str(current)), trust, utc_now(), register_of)
        assert report.ok, report
    again = renew_due(ctx, lambda pdf, at: pdf, margin_days=0)
    assert (again.looked, again.due) == (0, 0)


def renewed(ctx: Context, numbers: list[str]) -> list[str]:
    with ctx.database.read() as session:
        return [number for number in numbers if len(licences.files_of(session, number)) > 1]


def test_a_bounded_sweep_begins_with_what_ends_first_and_tells_what_ends_when(ctx: Context, pki: DevPki) -> None:
    numbers = [f"JY2990099{place:07d}" for place in range(1, 5)]
    files = [register(ctx, pki, replace(LICENCE, number=number)) for number in numbers]
    ends = [datetime(year, 6, 1, tzinfo=UTC) for year in (2031, 2030, 2031, 2033)]
    with ctx.database.write() as session:
        licences.set_good_until(session, dict(zip(files, ends, strict=True)))
    assert look(ctx).ends == {"2030": 1, "2031": 2, "2033": 1}
    trust, stamper = pki.seal_trust(), pki.timestamper(utc_now)
    sweep = renew_due(ctx, lambda pdf, at: renew(pdf, stamper, trust, at=at), margin_days=6 * 365, most=1)
    assert (sweep.due, renewed(ctx, numbers)) == (1, [numbers[1]])
    assert look(ctx).ends.get("2030") is None, "a file that was superseded is not reported any more"
