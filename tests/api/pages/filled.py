"""A service with a day's work in it: applications in every state, hundreds in the queue, a licence, shares, changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from docproc.flow.accounts import api_keys, seats
from docproc.flow.applications import applications
from docproc.flow.core.context import Context
from docproc.flow.kiosks import kiosks
from docproc.flow.matters import catalogue
from docproc.flow.review import decisions
from docproc.flow.review.decisions import Seen
from docproc.flow.seals import registry, trust_list
from docproc.flow.wallet import wallet
from docproc.licence.devpki.pki import ROOT, issue, make_dev_pki, new_p256, organisation
from docproc.matter.load import MATTERS_DIR
from docproc.store.audit import audit
from docproc.store.messages import outbox
from docproc.store.tables.applications import ApplicationRow, CorrectionRow, FindingRow, PageRow, PreviewRow, ReadingRow
from docproc.store.tables.messages import SmsRow
from docproc.store.tables.review import DecisionRow
from docproc.store.tables.wallet import FollowCodeRow
from tests.api.pages.inside import at_desk, browser, with_key
from tests.flow.people import (
    ADMIN,
    APPROVER,
    CLERK,
    KIOSK,
    REVIEWER,
    SEALER,
    Workers,
    caller,
    hand_in,
    receipt_code,
    submitted,
    until,
)

FEW, MANY = 100, 400
"""Applications in the queue, and as many decided: at first, and when there are many."""


@dataclass
class Filled:
    """Where everything is; values for the places in addresses."""

    app: FastAPI
    ctx: Context
    values: dict[str, str]
    visitors: dict[str, TestClient]


def fill(app: FastAPI, ctx: Context) -> Filled:
    """Do a day's work with a real worker, and copy it until there is a lot."""
    workers = Workers(ctx.settings, "tests.api.pages.drawn_stages")
    workers.start("w1", wait=False)
    try:
        issued = _issue(ctx)
        returned = submitted(ctx)["number"]
        _decide(ctx, returned, "return", reason="请补交租赁合同原件", basis="《行政许可法》第三十二条")
        waiting = submitted(ctx)["number"]
        at_counter = submitted(ctx, CLERK)["number"]
        citizen = with_key(app, ctx, ADMIN, "kiosk", "kiosk-1")
        draft = _draft(ctx, citizen)
    finally:
        workers.stop_all()
    grow(ctx, waiting, issued, range(FEW))
    view = applications.view_application(ctx, APPROVER, issued)
    licence = str(view["licence"])
    firm = caller("firm-1", "enterprise", org=licence)
    share = wallet.share(ctx, firm, licence, "银行开户", 7)
    change = _changes(ctx)
    _messages(ctx, waiting)
    hall = api_keys.authenticate(ctx, str(api_keys.create_key(ctx, ADMIN, "kiosk-3", "office", ["kiosk"])["key"]))
    assert hall is not None
    kiosks.report_line(ctx, hall, 3, 900)
    page = applications.view_application(ctx, APPROVER, waiting)["pages"][0]["id"]
    values = {
        "number": waiting,
        "returned": returned,
        "issued": issued,
        "counter": at_counter,
        "draft": draft,
        "licence": licence,
        "code": str(wallet.wallet_licence(ctx, firm, licence)["code"]),
        "share": share["code"],
        "follow": receipt_code(ctx, returned),
        "change_id": change,
        "matter": "sole_trader",
        "material": "application",
        "page_id": page,
        "index": "0",
        "draft_page": applications.view_application(ctx, KIOSK, draft)["pages"][0]["id"],
    }
    roles = ("clerk", "reviewer", "approver", "sealer", "auditor", "admin")
    visitors = {role: at_desk(app, ctx, f"{role}-9", role) for role in roles}
    visitors |= {"nobody": browser(app), "citizen": citizen, "kiosk": with_key(app, ctx, ADMIN, "kiosk", "kiosk-2")}
    visitors["wallet"] = with_key(app, ctx, ADMIN, "wallet", "firm-2", licence)
    return Filled(app, ctx, values, visitors)


def grow(ctx: Context, waiting: str, issued: str, places: range) -> None:
    """Copy an application that waits and one that is decided, once for each place."""
    with ctx.database.write() as session:
        for place in places:
            _copy(ctx, session, waiting, f"510116-ST-20200101-{place:06d}", decided=False)
            took = timedelta(hours=3 + place % 30)
            _copy(ctx, session, issued, f"510116-ST-20210101-{place:06d}", decided=True, took=took)


def _decide(ctx: Context, number: str, action: str, **more: str) -> None:
    view = applications.view_application(ctx, REVIEWER, number)
    seen = Seen(view["version"], view["content_sha256"])
    decisions.decide(ctx, REVIEWER, number, action, seen, **more)  # type: ignore[arg-type]


def _issue(ctx: Context) -> str:
    number = str(submitted(ctx)["number"])
    _decide(ctx, number, "approve")
    decisions.release(ctx, SEALER, number, applications.view_application(ctx, SEALER, number)["version"])
    until(lambda: applications.view_application(ctx, KIOSK, number)["licence"])
    return number


def _draft(ctx: Context, hall: TestClient) -> str:
    """What a citizen at the kiosk is working on."""
    number = hand_in(ctx, KIOSK)
    until(lambda: applications.view_application(ctx, KIOSK, number)["checked"])
    here = seats.seat(ctx, hall.cookies["dp_kiosk"], "kiosk")
    assert here is not None
    seats.hold(ctx, here, number)
    return number


def _copy(
    ctx: Context, session: Session, source: str, number: str, *, decided: bool, took: timedelta = timedelta(0)
) -> None:
    at = ctx.clock() - timedelta(days=2)
    row = _again(session.get_one(ApplicationRow, source), number=number)
    row.submitted_at = row.created_at = at
    row.seal_state = "sealed" if decided else "none"
    session.add(row)
    session.flush()
    session.add(FollowCodeRow(application=number, code=f"c-{number}"))
    for page in session.scalars(sa.select(PageRow).where(PageRow.application == source)).all():
        made = f"{page.id[:12]}{number[-15:].replace('-', '')}{'d' if decided else 'w'}"[:32]
        session.add(_again(page, id=made, application=number, uploaded_at=at))
        session.flush()
        for kind in (ReadingRow, PreviewRow):
            for item in session.scalars(sa.select(kind).where(kind.page_id == page.id)).all():
                session.add(_again(item, page_id=made))
        session.flush()
        read = session.scalars(sa.select(ReadingRow).where(ReadingRow.page_id == page.id)).first()
        if decided and read is not None and read.material == "application" and number.endswith(("0", "5")):
            edit = {"field": "phone", "value": "13900000000", "by": "reviewer-1", "at": at}
            session.add(CorrectionRow(page_id=made, index=0, **edit))
    told = {"code": "G-05-cid", "severity": "fix", "message": "申请书与身份证不一致", "material": "application"}
    session.add(FindingRow(application=number, page_id=None, field="operator_id", basis="", **told))
    if decided:
        given = session.scalars(sa.select(DecisionRow).where(DecisionRow.application == source)).one()
        session.add(_again(given, id=f"d-{number}"[-32:], application=number, at=at + took))
    audit.append(session, at, "kiosk-1", "application.submitted", number)


def _again(row: object, **changed: object) -> object:
    """A row with the same values but those that are named."""
    mapper = sa.inspect(type(row))
    values = {item.key: getattr(row, item.key) for item in mapper.column_attrs}
    return type(row)(**{**values, **changed})


def _changes(ctx: Context) -> str:
    text = (MATTERS_DIR / "sole_trader.toml").read_text("utf-8").replace("accept_days = 3", "accept_days = 2")
    found = catalogue.propose(ctx, ADMIN, [("sole_trader.toml", text.encode())], ctx.today(), "提速")
    if registry.list_seals(ctx, APPROVER)["seals"]:
        registry.propose_change(ctx, APPROVER, "market_regulation", "suspend", "例行检查")
    root = next(ctx.settings.trust_dir.parent.glob("neighbour.crt")).read_bytes()
    new = trust_list.NewRoot(root, "邻市政务局（样例）", ("113400",))
    trust_list.confirm_change(ctx, SEALER, trust_list.propose_root(ctx, APPROVER, new, "互认协议")["id"])
    return str(found["id"])


def _messages(ctx: Context, number: str) -> None:
    states = ("sending", "put off", "accepted", "refused", "unknown", "no number")
    with ctx.database.write() as session:
        for state in states * 20:
            event = outbox.add_event(session, ctx.clock(), "application.accepted", number, "office")
            told = {"org": "office", "application": number, "kind": "accepted", "state": state, "attempt": 1}
            times = {"created_at": ctx.clock(), "updated_at": ctx.clock()}
            session.add(SmsRow(event_id=event.id, session=f"s-{event.id}", code="Ok", serial=None, **told, **times))


def folder_with_neighbour(folder: Path) -> Path:
    """A development PKI, and another department's root beside its trust folder."""
    now = datetime.now(UTC)
    make_dev_pki(folder / "certs", at=now)
    start = now - timedelta(days=9)
    made = issue(None, organisation("邻市根（样例）"), ROOT, start, "http://127.0.0.1:9", new_p256())
    (folder / "certs" / "neighbour.crt").write_bytes(made.certificate.public_bytes(Encoding.PEM))
    return folder / "certs"
