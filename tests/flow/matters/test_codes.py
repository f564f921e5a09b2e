"""Codes of matters: no two share one, since numbers of applications and licences are made of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from docproc.errors import CatalogueError
from docproc.flow.applications.applications import create_application, view_application
from docproc.flow.core import in_force
from docproc.flow.core.acts import sign_act
from docproc.flow.core.context import Context
from docproc.flow.matters import catalogue
from docproc.flow.review.decisions import decide, release
from docproc.matter.load import MATTERS_DIR, find_matter, load_matter, put_in_force
from docproc.store.matters import catalogue as stored
from tests.flow.people import ADMIN, APPROVER, KIOSK, REVIEWER, SEALER, Workers, seen, submitted, until

SHIPPED = (MATTERS_DIR / "sole_trader.toml").read_text("utf-8")
CODE = 'code = "ST"\n'


def matter(key: str, code: str = "", *changes: tuple[str, str]) -> str:
    """A matter like that of sole traders, with numbers by its code; without a code as files were before."""
    written = f'code = "{code}"\n' if code else ""
    found = SHIPPED.replace('id = "sole_trader"\n' + CODE, f'id = "{key}"\n{written}', 1)
    assert found != SHIPPED
    for old, new in (('number = "uscc"', 'number = "serial"'), *changes):
        assert old in found, old
        found = found.replace(old, new, 1)
    return found


@pytest.fixture(autouse=True)
def as_shipped() -> Iterator[None]:
    yield
    put_in_force(MATTERS_DIR)
    in_force._seen = ("", ())


def propose(ctx: Context, *texts: str) -> str:
    sent = [(f"{place}.toml", text.encode()) for place, text in enumerate(texts)]
    return str(catalogue.propose(ctx, ADMIN, sent, ctx.today(), "新事项")["id"])


def put_as_before(ctx: Context, files: dict[str, str]) -> None:
    """Put in force what the version before took, unchecked."""
    at = datetime.now(UTC)
    with ctx.database.write() as session:
        row = stored.add_change(session, files, dict.fromkeys(files, ""), ctx.today(), "试验", "admin-1", at)
        sign_act(session, ADMIN, row)
        row.state, row.closed_at = "confirmed", at
        sign_act(session, APPROVER, row, part="closing_signed")
    in_force.refresh(ctx.database, ctx.settings.data_dir, ctx.today(), now=True)


@pytest.mark.parametrize(
    ("texts", "problem", "remedy"),
    [
        ((matter("stall"),), "no code", 'add code = "S"'),
        ((matter("stall", "ST"),), "code 'ST' is that of sole_trader", "FL, SI, ST"),
        ((matter("street_trader"),), "code 'ST' is that of sole_trader", "a code of its own"),
        ((matter("stall", "SA"), matter("shed", "SA")), "code 'SA' is that of", "a code of its own"),
        ((matter("stall", "sa"),), "code", "correct"),
        (
            (
                matter(
                    "stall", "SA", ('number = "serial"', 'number = "uscc"'), ('kind = "sole_trader"', 'kind = "stall"')
                ),
            ),
            "sole_trader gives out the same numbers for licences of kind 'sole_trader'",
            "serial",
        ),
        (
            (matter("stall", "SA", ('kind = "sole_trader"', 'kind = "stall"')),),
            "type_suffix '002' is that of kind 'sole_trader'",
            "suffix",
        ),
        ((SHIPPED.replace(CODE, 'code = "GT"\n'),), "bear the code 'ST'", 'keep code = "ST"'),
        ((SHIPPED.replace(CODE, ""),), "no code", 'add code = "ST"'),
    ],
)
def test_a_file_whose_numbers_would_be_those_of_another_is_refused(
    ctx: Context, texts: tuple[str, ...], problem: str, remedy: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        propose(ctx, *texts)
    assert problem in caught.value.problem and remedy in caught.value.remedy
    assert catalogue.list_changes(ctx, ADMIN) == []


def test_retired_matters_keep_their_code_from_others(ctx: Context) -> None:
    retired = matter("stall", "SA", ('region = "510116"', 'region = "510116"\nstatus = "retired"'))
    catalogue.confirm(ctx, APPROVER, propose(ctx, retired))
    with pytest.raises(CatalogueError, match="code 'SA' is that of stall"):
        propose(ctx, matter("shed", "SA"))


def test_a_code_of_its_own_stands_in_the_numbers(ctx: Context) -> None:
    catalogue.confirm(ctx, APPROVER, propose(ctx, matter("street_trader", "STR")))
    assert str(create_application(ctx, KIOSK, "street_trader", "kiosk")["number"]).startswith("510116-STR-")
    assert str(create_application(ctx, KIOSK, "sole_trader", "kiosk")["number"]).startswith("510116-ST-")


def test_files_of_before_go_on_with_the_prefix_that_they_had(ctx: Context) -> None:
    put_as_before(ctx, {"stall_permit.toml": matter("stall_permit")})
    assert find_matter("stall_permit").number_code == "SP"
    assert str(create_application(ctx, KIOSK, "stall_permit", "kiosk")["number"]).startswith("510116-SP-")
    propose(ctx, matter("stall_permit", "SP"))


def test_of_two_that_shared_a_code_one_may_take_another(ctx: Context) -> None:
    put_as_before(ctx, {"street_trader.toml": matter("street_trader")})
    assert find_matter("street_trader").number_code == find_matter("sole_trader").number_code
    propose(ctx, matter("street_trader", "STR"))


def test_licences_of_matters_that_share_a_code_from_before_get_numbers_that_differ(
    ctx: Context, workers: Workers
) -> None:
    other = ('kind = "sole_trader"', 'kind = "food_business"')
    put_as_before(
        ctx, {"street_trader.toml": matter("street_trader"), "stall_trader.toml": matter("stall_trader", "", other)}
    )
    workers.start("w1")
    numbers = []
    for key in ("street_trader", "stall_trader", "street_trader"):
        view = submitted(ctx, matter=key)
        approved = decide(ctx, REVIEWER, view["number"], "approve", seen(view))
        release(ctx, SEALER, view["number"], approved["version"])
        numbers.append(until(lambda n=view["number"]: view_application(ctx, REVIEWER, n)["licence"]))
    assert numbers == ["ST-510116-000001", "ST-510116-000002", "ST-510116-000003"]


def test_matter_check_knows_the_codes_that_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "stall.toml"
    path.write_text(matter("stall", "FL"), "utf-8")
    load_matter(path)
    command = [sys.executable, "-m", "docproc.cli", "matter", "check"]
    done = subprocess.run([*command, path], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and "code 'FL' is that of food_licence" in " ".join(done.stdout.split())
    assert subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0
