"""Proof that nothing is missing or changed: the audit chain and its time-stamps, every blob, what was decided on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from docproc.errors import InputError, NotFoundError
from docproc.flow.applications import views
from docproc.flow.audit.heads import Noted, from_newest_list, lost
from docproc.flow.core.access import SYSTEM
from docproc.flow.core.context import Context
from docproc.licence.pki.trust import TrustList
from docproc.store.applications import applications
from docproc.store.audit import access_log, audit, chain, inventory, signed_rows
from docproc.store.audit.chain import Head
from docproc.store.audit.standings import Standings, differences
from docproc.store.blobs.blobs import DamagedBlobError
from docproc.store.licences import licences
from docproc.store.upkeep import retention

STAMPED = "audit.stamped"
STAMP_EVERY = timedelta(days=1)
KEEP_TOKEN_DAYS = 365 * 30
Stamper = Callable[[bytes], bytes]
"""Gives a time-stamp token over a SHA-256 digest; raises SealUnavailableError."""


@dataclass(slots=True)
class Proof:
    """What was looked at and what is wrong."""

    lines: int = 0
    """Lines of the audit log."""
    head: str = audit.FIRST
    """Hash of its last line."""
    signed: int = 0
    """Lines that are signed by a process of ours."""
    keys: dict[str, int] = field(default_factory=dict)
    """The keys that signed them, each with its last line."""
    heads: int = 0
    """Lines known from elsewhere that are still there: of status lists, backups, and what processes remember."""
    stamps: int = 0
    """Time-stamps over the chain that hold."""
    stamped_at: str | None = None
    """Moment of the newest one."""
    originals: int = 0
    """Uploaded files whose bytes have their hash."""
    sealed: int = 0
    """Sealed licences whose bytes have their hash."""
    pictures: int = 0
    """Pictures for the screen whose bytes have their hash."""
    approvals: int = 0
    """Approvals whose application still is what was approved."""
    erased: int = 0
    """Approvals whose application was erased by the matter's rules since, as the log says."""
    readings: int = 0
    """Readings of content that the log of accesses has, those that no batch has closed yet among them."""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is left to do, of a restore."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def prove(
    ctx: Context, trust: TrustList | None, *, known: tuple[int, str] | None = None, noted: Sequence[Noted] = ()
) -> Proof:
    """Look at everything; reads each blob once.

    Args:
        ctx: the stores; its keys are those whose lines count.
        trust: whose time-stamps and status lists count; ``None``: they are not looked at.
        known: number and hash of a line that was noted elsewhere.
        noted: further such lines: of status lists, of what processes remember.
    """
    proof = Proof()
    lines = [*noted, *([Noted("what was noted", Head(*known))] if known is not None else [])]
    with ctx.database.snapshot() as session:
        _chain(ctx, session, proof)
        _heads(session, proof, lines, trust)
        proof.problems += inventory.contradictions(session)
        proof.problems += signed_rows.misfits(session)
        proof.readings = access_log.count(session)
        proof.problems += access_log.problems(session)
        proof.originals = _blobs(ctx, proof, "uploaded file of page", inventory.originals(session))
        proof.sealed = _blobs(ctx, proof, "sealed file of licence", inventory.sealed_files(session))
        proof.sealed += _blobs(ctx, proof, "sealed notice", inventory.sealed_notices(session))
        proof.pictures = _blobs(ctx, proof, "picture of page", inventory.pictures(session))
        _approvals(session, proof)
        _erasures(ctx, session, proof)
        if trust is not None:
            _stamps(ctx, session, proof, trust)
    return proof


def stamp_head(ctx: Context, stamper: Stamper) -> bool:
    """Time-stamp the chain's last line; ``False`` when that was done within a day or nothing happened since.

    The token is a blob under retention: who rewrites the whole chain cannot make it fit.
    """
    with ctx.database.read() as session:
        last = audit.last(session)
        before = audit.newest(session, STAMPED, "audit")
    if last is None or last.action == STAMPED or (before is not None and ctx.clock() - before.at < STAMP_EVERY):
        return False
    token = ctx.blobs.put(stamper(bytes.fromhex(last.sha256)), keep_days=KEEP_TOKEN_DAYS)
    with ctx.database.write() as session:
        audit.append(session, ctx.clock(), SYSTEM, STAMPED, "audit", line=last.seq, head=last.sha256, token=token)
    return True


def _chain(ctx: Context, session: Session, proof: Proof) -> None:
    """The chain and its signatures, and each licence's status against the lines about it."""
    told = Standings()
    found = chain.walk(session, ctx.keys.known, each=told.note)
    proof.problems += found.problems
    proof.lines, proof.head, proof.signed = found.head.line, found.head.sha256, found.signed
    proof.keys = dict(sorted(found.keys.items()))
    proof.problems += differences(told, licences.withdrawn(session))


def _heads(session: Session, proof: Proof, noted: Sequence[Noted], trust: TrustList | None) -> None:
    """Lines that are known from elsewhere: of the newest status list too, which a sealer signed."""
    listed = None
    if trust is not None:
        try:
            listed = from_newest_list(session, trust)
        except InputError as error:
            proof.problems.append(f"the status list that is given out: {error}")
    for item in (*noted, *([listed] if listed is not None else [])):
        problem = lost(session, item)
        proof.heads += problem is None
        if problem is not None:
            proof.problems.append(problem)


def _blobs(ctx: Context, proof: Proof, what: str, expected: Iterator[tuple[str, str]]) -> int:
    good = 0
    for key, name in expected:
        try:
            ctx.blobs.get(key)
            good += 1
        except NotFoundError:
            proof.problems.append(f"{what} {name}: blob {key} is missing")
        except DamagedBlobError:
            proof.problems.append(f"{what} {name}: blob {key} is damaged")
    return good


def _approvals(session: Session, proof: Proof) -> None:
    for decision in inventory.approvals(session):
        row = applications.find_application(session, decision.application)
        if row.erased_at is not None:
            proof.erased += 1
        elif views.application(session, row)["content_sha256"] == decision.seen_sha256:
            proof.approvals += 1
        else:
            proof.problems.append(f"application {row.number}: is not what was approved")


def _erasures(ctx: Context, session: Session, proof: Proof) -> None:
    """What is erased is logged, and gone."""
    proof.problems += retention.contradictions(session)
    for key, page in retention.erased_keys(session):
        if ctx.blobs.exists(key):
            proof.problems.append(f"uploaded file {page}: erased, but blob {key} is still there")


def _stamps(ctx: Context, session: Session, proof: Proof, trust: TrustList) -> None:
    from docproc.licence.pki.timestamp_token import check_token

    for line in audit.of_action(session, STAMPED):
        detail = line.detail
        try:
            if audit.hash_of(session, detail["line"]) != detail["head"]:
                raise InputError("the time-stamped line has another hash now")
            moment = check_token(ctx.blobs.get(detail["token"]), bytes.fromhex(detail["head"]), trust)
            proof.stamps, proof.stamped_at = proof.stamps + 1, moment.isoformat()
        except (InputError, NotFoundError, DamagedBlobError) as error:
            proof.problems.append(f"time-stamp in audit line {line.seq}: {error}")
