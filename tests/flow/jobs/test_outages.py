"""TSA, OCSP, CRL and token go away and workers are killed: nothing lower is stored, nothing sealed twice, all issued.

The servers are processes that are really stopped and started; keys, certificates and time-stamps are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from docproc.flow.applications.applications import view_application
from docproc.flow.core.context import Context
from docproc.flow.licences.verification import StoredRegister
from docproc.flow.review.decisions import decide, release
from docproc.flow.seals.new_seal import NewSeal
from docproc.flow.seals.registry import confirm_change, propose_seal
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.verify.verify import examine, verify
from docproc.settings import Settings
from docproc.store.audit import audit
from docproc.store.licences import licences
from tests.flow.conftest import opened
from tests.flow.people import APPROVER, KIOSK, REVIEWER, SEALER, Workers, seen, submitted, until
from tests.servers.pki import PkiServer, free_port
from tests.servers.softhsm import PIN, TOKEN, Token

REASONS = {"tsa": "时间戳服务", "ocsp": "证书状态服务", "crl": "证书状态服务", "all": "暂不可用", "token": "密码机"}


class Office:
    """A service whose sealer asks a PKI over the network."""

    def __init__(self, folder: Path, *, on_token: bool = False) -> None:
        port = free_port()
        make_dev_pki(folder / "pki", at=datetime.now(UTC), base_url=f"http://127.0.0.1:{port}")
        self.pki, self.server = DevPki(folder / "pki"), PkiServer(folder / "pki", port)
        self.settings = Settings(data_dir=folder, _env_file=None)
        env = {
            "DOCPROC_DATA_DIR": str(folder),
            "DOCPROC_AUTHORITY_CODE": AUTHORITY_CODE,
            "DOCPROC_CERTS_DIR": str(folder / "pki"),
            "DOCPROC_TRUST_DIR": str(folder / "pki" / "trust"),
            "DOCPROC_TSA_URL": f"{self.pki.base_url}/tsa",
        }
        self.token: Token | None = None
        if on_token:
            self.token = Token(folder / "token", folder / "pki", "seal-rsa")
            secret = {"MODULE": str(self.token.module), "TOKEN": TOKEN, "KEY": "seal-rsa", "PIN": PIN}
            env |= self.token.env | {f"DOCPROC_PKCS11_{name}": value for name, value in secret.items()}
        self.workers = Workers(self.settings, "tests.flow.sealing_stages", env)

    def register_seal(self, ctx: Context) -> None:
        """The token's seal, by two persons: nothing registers a real key by itself."""
        chain = [self.pki.signer().signing_cert, *self.pki.signer().cert_registry]
        from asn1crypto import pem

        text = "".join(pem.armor("CERTIFICATE", item.dump()).decode() for item in chain if item is not None)
        now = datetime.now(UTC)
        seal = NewSeal(
            name="market_regulation",
            owner=AUTHORITY,
            owner_code=AUTHORITY_CODE,
            kind="official",
            filing_number="SAMPLE-3",
            certificates=text,
            licence_kinds=("sole_trader",),
            valid_from=now - timedelta(minutes=1),
            valid_to=now + timedelta(days=300),
        )
        confirm_change(ctx, APPROVER, propose_seal(ctx, SEALER, seal, "启用")["id"])

    def take_away(self, what: str) -> None:
        if what == "token":
            assert self.token is not None
            self.token.take_away()
        elif what == "all":
            self.server.kill()
        elif what == "hanging":
            self.server.pause()
        else:
            self.server.kill()
            self.server.start(what)

    def put_back(self, what: str) -> None:
        if what == "token":
            assert self.token is not None
            self.token.put_back()
        else:
            self.server.kill()
            self.server.start()


@pytest.fixture
def office(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Office, Context]]:
    made = Office(tmp_path, on_token=request.node.callspec.params["what"] == "token")
    made.server.start()
    try:
        for ctx in opened(made.settings):
            if made.token is not None:
                made.register_seal(ctx)
            yield made, ctx
    finally:
        made.workers.stop_all()
        made.server.kill()


def approved(ctx: Context) -> str:
    view = submitted(ctx)
    decided = decide(ctx, REVIEWER, view["number"], "approve", seen(view))
    release(ctx, SEALER, view["number"], decided["version"])
    return str(view["number"])


def seal_of(ctx: Context, number: str) -> dict[str, Any]:
    found: dict[str, Any] = view_application(ctx, KIOSK, number)["seal"]
    return found


def sealed_files(folder: Path) -> list[bytes]:
    """Every signed file among the blobs, registered or not."""
    found = [path.read_bytes() for path in (folder / "blobs").rglob("*") if path.is_file()]
    return [data for data in found if data.startswith(b"%PDF") and b"/ByteRange" in data]


@pytest.mark.parametrize("what", ["tsa", "ocsp", "crl", "all", "hanging", "token"])
def test_a_licence_waits_for_what_is_away_and_is_sealed_once(office: tuple[Office, Context], what: str) -> None:
    made, ctx = office
    waits = refuse_pin(made, ctx) if what == "token" else None
    made.workers.start("w1", wait=False)
    first = waits or approved(ctx)
    until(lambda: seal_of(ctx, first)["state"] == "sealed")
    made.take_away(what)
    second = approved(ctx)
    if what == "hanging":  # the worker is in the middle of asking
        until(lambda: seal_of(ctx, second)["state"] in ("queued", "waiting"))
    else:
        told = until(lambda: (v := seal_of(ctx, second))["state"] == "waiting" and v)
        assert REASONS[what] in told["note"] and "自动重试" in told["note"]
    made.workers.kill("w1")
    made.workers.start("w1", wait=False)
    assert view_application(ctx, KIOSK, second)["licence"] is None
    assert len(sealed_files(made.settings.data_dir)) == 1, "nothing is stored while something is away"
    made.put_back(what)
    until(lambda: seal_of(ctx, second)["state"] == "sealed")
    check(made, ctx, [first, second])


def refuse_pin(made: Office, ctx: Context) -> str:
    """A sealer is given a wrong PIN: the licence, whose application is returned, waits; office and log read why."""
    right = made.workers.env["DOCPROC_PKCS11_PIN"]
    made.workers.env["DOCPROC_PKCS11_PIN"] = "975310"
    made.workers.start("w1", wait=False)
    number = approved(ctx)
    told = until(lambda: (v := seal_of(ctx, number))["state"] == "waiting" and v)
    assert "口令" in told["note"] and "重启签章服务" in told["note"] and "自动重试" not in told["note"]
    made.workers.kill("w1")
    log = (made.settings.data_dir / "log-w1").read_text()
    assert "refuses the PIN (PinIncorrect)" in log and "975310" not in log
    made.workers.env["DOCPROC_PKCS11_PIN"] = right
    return number


def check(made: Office, ctx: Context, numbers: list[str]) -> None:
    """One good file at level B-LTA for each approval, and none beside them."""
    trust, at = made.pki.trust_list(), datetime.now(UTC)
    stored = sealed_files(made.settings.data_dir)
    assert {item.level for data in stored for item in examine(data, trust, at).signatures} == {"B-LTA"}
    assert len(stored) == len(numbers)
    for data in stored:
        assert verify(data, trust, at, StoredRegister(ctx)).ok
    for number in numbers:
        licence = view_application(ctx, KIOSK, number)["licence"]
        with ctx.database.read() as session:
            assert [item.reason for item in licences.files_of(session, licence)] == ["issued"]
            told = [line.action for line in audit.lines(session, subject=licence)]
        assert sorted(told) == ["licence.issued", "licence.numbered"]
