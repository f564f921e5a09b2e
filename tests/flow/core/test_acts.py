"""What is done in somebody's name needs the web process's key, and says so where that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from docproc.cli.main import app
from docproc.errors import DocprocError, SetupError
from docproc.flow.accounts.api_keys import authenticate, create_key
from docproc.flow.applications.applications import create_application, view_application
from docproc.flow.core.context import Context, open_context
from docproc.flow.review.decisions import decide
from docproc.process_keys import make_key
from docproc.settings import Settings
from docproc.store.signatures import check_row
from docproc.store.tables.applications import ApplicationRow
from tests.flow.people import APPROVER, KIOSK, seen


def test_an_act_names_who_did_it_in_which_roles_and_how_they_signed_in(ctx: Context) -> None:
    key = create_key(ctx, None, "kiosk-7", "office", ["kiosk"])["key"]
    who = authenticate(ctx, str(key))
    assert who is not None
    number = create_application(ctx, who, "sole_trader", "kiosk")["number"]
    with ctx.database.read() as session:
        said = check_row(session, session.get_one(ApplicationRow, number))["person"]
    told = {"subject": "kiosk-7", "persons": ["kiosk-7"], "org": "office", "roles": ["kiosk"], "how": "key"}
    assert said == {"id": who.key_id, **told}


@pytest.mark.parametrize("folder", ["none", "readers"])
def test_who_has_not_the_web_key_acts_for_nobody_and_reads_on(ctx: Context, tmp_path: Path, folder: str) -> None:
    number = create_application(ctx, KIOSK, "sole_trader", "kiosk")["number"]
    keys = tmp_path / folder
    if folder == "readers":
        make_key(keys, "reader")
    reader = open_context(ctx.settings.model_copy(update={"process_keys": str(keys)}), role="reader")
    view = view_application(reader, KIOSK, number)
    assert view["number"] == number
    with pytest.raises(SetupError, match="process-key"):
        create_key(open_context(ctx.settings.model_copy(update={"process_keys": str(keys)})), None, "x", "y", ["clerk"])
    with pytest.raises(DocprocError):
        decide(reader, APPROVER, number, "reject", seen(view), reason="x")
    reader.close()


def test_a_command_that_acts_for_somebody_names_the_remedy(ctx: Context, settings: Settings, tmp_path: Path) -> None:
    env = {"DOCPROC_DATA_DIR": str(settings.data_dir), "DOCPROC_PROCESS_KEYS": str(tmp_path / "none")}
    done = CliRunner().invoke(app, ["user", "add", "li", "--role", "clerk", "--org", "office"], env=env)
    assert isinstance(done.exception, SetupError)
    assert "DOCPROC_PROCESS_KEYS" in str(done.exception)
