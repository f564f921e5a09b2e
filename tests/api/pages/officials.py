"""Officials for tests of their pages: added as the command line does, signed in with a code of this moment."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pyotp
from cryptography.hazmat.primitives.serialization import Encoding

from docproc.flow.accounts.users import add_user, change_password, official, sign_in
from docproc.flow.core.context import Context, open_context
from docproc.licence.devpki.pki import (
    ROOT,
    SEAL,
    issue,
    new_p256,
    organisation,
    seal_subject,
)
from docproc.settings import Settings
from tests.api.group import Group
from tests.api.pages.watching import Watched

STEP = 30


@dataclass
class Person:
    """An official who chose a password."""

    name: str
    password: str
    totp_secret: str
    used: int

    def code(self) -> str:
        """A code that was not used before; each counts for half a minute, the next one is taken a step early."""
        self.used = max(self.used + 1, int(time.time()) // STEP)
        while self.used > int(time.time()) // STEP + 1:
            time.sleep(0.5)
        return pyotp.TOTP(self.totp_secret).at(self.used * STEP)


def code_now(secret: str, ahead: int = 0) -> str:
    """The code of this moment, or of the next step, which is taken too."""
    return pyotp.TOTP(secret).at((int(time.time()) // STEP + ahead) * STEP)


def person(server: Group, name: str, *roles: str, org: str = "office") -> Person:
    """Add an official by the library, as the command line does, and choose a password."""
    ctx = open_context(Settings(data_dir=server.folder, _env_file=None))
    made = add_user(ctx, None, name, f"{name}（样例）", org, roles)
    step = int(time.time()) // STEP
    here = official(ctx, sign_in(ctx, name, made.password, pyotp.TOTP(made.totp_secret).at(step * STEP)))
    assert here is not None
    password = f"样例密码不给真人用 {name}"
    change_password(ctx, here.caller, made.password, password)
    ctx.close()
    return Person(name, password, made.totp_secret, step)


def word(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]


@contextmanager
def signed_in(server: Group, who: Person) -> Iterator[httpx.Client]:
    """A client with the session of an official."""
    with httpx.Client(
        base_url=server.base, headers={"Accept": "text/html"}, follow_redirects=True, timeout=60
    ) as client:
        sent = {"csrf": word(client, "/office/login"), "name": who.name, "password": who.password, "code": who.code()}
        answer = client.post("/office/login", data=sent)
        assert answer.status_code == 200 and answer.url.path != "/office/login", answer.text
        yield client


def sign_in_browser(seen: Watched, who: Person) -> None:
    seen.open("/office/login")
    seen.page.fill("[name=name]", who.name)
    seen.page.fill("[name=password]", who.password)
    seen.page.fill("[name=code]", who.code())
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(lambda url: "/office/login" not in url)


def neighbour(ctx: Context, *, weak: bool = False) -> bytes:
    """The root certificate of a neighbouring city in PEM; a weak one is only a seal's."""
    profile = SEAL if weak else ROOT
    name = seal_subject("邻市政务局（样例）", "91510116MA6DEVX00X") if weak else organisation("邻市根（样例）")
    made = issue(None, name, profile, ctx.clock() - timedelta(days=9), "http://127.0.0.1:9", new_p256())
    return bytes(made.certificate.public_bytes(Encoding.PEM))
