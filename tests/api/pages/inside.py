"""The web application in the test's own process, and people who are signed in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from docproc.flow.accounts import api_keys, seats, users
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import migrate_all
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.api.pages.officials import code_now

PAGE = {"Accept": "text/html"}


@contextmanager
def running(folder: Path, **more: Any) -> Iterator[tuple[FastAPI, Context]]:
    """An application on a fresh database, without workers."""
    settings = Settings(
        data_dir=folder, rate_limit_per_minute=1_000_000, parse_seconds_per_minute=100_000, _env_file=None, **more
    )
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    app = create_app(settings)
    with TestClient(app):
        yield app, app.state.context


def browser(app: FastAPI) -> TestClient:
    """A browser of somebody who is not signed in."""
    return TestClient(app, headers=PAGE)


def at_desk(app: FastAPI, ctx: Context, name: str, *roles: str, org: str = "office") -> TestClient:
    """A browser in which an official signed in."""
    made, password = users.add_user(ctx, None, name, f"{name}（样例）", org, roles), f"样例密码不给真人用 {name}"
    first = users.official(ctx, users.sign_in(ctx, name, made.password, code_now(made.totp_secret)))
    assert first is not None
    users.change_password(ctx, first.caller, made.password, password)
    client = browser(app)
    client.cookies.set("dp_office", users.sign_in(ctx, name, password, code_now(made.totp_secret, 1)))
    return client


def with_key(app: FastAPI, ctx: Context, admin: Caller, kind: str, subject: str, org: str = "office") -> TestClient:
    """A kiosk, or an enterprise at its wallet."""
    role = "kiosk" if kind == "kiosk" else "enterprise"
    key = api_keys.create_key(ctx, admin, subject, org, [role])["key"]
    client = browser(app)
    client.cookies.set(f"dp_{kind}", seats.sign_in(ctx, key, kind))  # type: ignore[arg-type]
    return client


def word(client: TestClient, path: str) -> str:
    """The word that guards the forms of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]
