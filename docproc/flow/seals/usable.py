"""Which registered seals a licence may be sealed with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.domain import Licence
from docproc.errors import SealError, SealUnavailableError
from docproc.flow.core.access import MAY, SYSTEM
from docproc.flow.core.context import Context
from docproc.flow.seals.entries import from_row, proof_of, to_row
from docproc.flow.seals.memory import OLDER, memory_of
from docproc.licence.seal import registered_seal
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.matter.model import LicenceSpec
from docproc.process_keys import SignatureError
from docproc.store.audit import audit
from docproc.store.seals import registry
from docproc.store.signatures import SEALER, WEB, check_row, sign_row
from docproc.store.tables.seals import SealRow

NOT_REGISTERED = "印章备案没有两人办理的有效签名，不能签章，请重新备案"
log = logging.getLogger(__name__)


def usable_seals(
    ctx: Context, spec: LicenceSpec, licence: Licence, at: datetime, own: Callable[[], Sequence[RegisteredSeal]]
) -> list[RegisteredSeal]:
    """All seals that a licence needs, the issuing authority's first, each checked for this use.

    What the licence names counts: the matter's file may have come to name others since it was numbered.

    Raises:
        SealUnavailableError: a joint seal is not registered yet, suspended or out of its period; the licence waits.
        SealError: a seal that waiting does not mend, or the matter no longer names a seal of an authority.
    """
    found = [usable_seal(ctx, spec.seal, licence, at, own)]
    named = {(item.authority, item.authority_code): item.seal for item in spec.co_seals}
    for place, party in enumerate(licence.joint, 1):
        if party not in named:
            raise SealError(f"the matter names no seal of {party[0]}", message_zh=f"事项没有指定{party[0]}的印章")
        try:
            found.append(usable_seal(ctx, named[party], licence, at, own, place))
        except SealError as error:
            problem = f"{party[0]}：{error.message_zh}"
            if error.code in ("seal_unknown", "seal_suspended", "seal_period"):
                raise SealUnavailableError(str(error), message_zh=problem, code=error.code) from error
            raise SealError(str(error), message_zh=problem, code=error.code) from error
    return found


def usable_seal(
    ctx: Context,
    name: str,
    licence: Licence,
    at: datetime,
    own: Callable[[], Sequence[RegisteredSeal]],
    place: int = 0,
) -> RegisteredSeal:
    """The registered seal of a name, checked for this use at its place among the seals of a licence.

    Raises:
        SealError: not registered, or outside its state, period, scope or owner.
    """
    register_own(ctx, own)
    with ctx.database.read() as session:
        row = registry.find_seal(session, name)
        if row is None:
            raise SealError(f"seal {name} is not registered", message_zh="印章没有备案，不能签章", code="seal_unknown")
        seal = from_row(row)
        check_entry(ctx, session, row)
    registered_seal.check_use(seal, licence, at, place)
    return seal


def check_entry(ctx: Context, session: Session, row: SealRow) -> None:
    """Make sure that two persons registered a seal as it is, and that nothing newer was said of it.

    An entry that a sealer made itself, of its own development seal, counts only as long as no persons have registered
    anything under the name: emptying the registry brings nothing back.

    Raises:
        SealError: that is not so.
    """
    try:
        said = check_row(session, row, roles=(*WEB, *SEALER))
    except SignatureError as error:
        raise SealError(str(error), message_zh=NOT_REGISTERED, code="seal_unsigned") from error
    memory, what = memory_of(ctx.settings), f"seal:{row.name}"
    if said.get("development"):
        if what in memory.noted(what):
            raise SealError(f"seal {row.name} was changed by persons", message_zh=OLDER, code="seal_unsigned")
        return
    if not said.get("adopted"):
        _check_persons(row, said)
    memory.note(what, datetime.fromisoformat(said["at"]))


def _check_persons(row: SealRow, said: JsonObject) -> None:
    proposed, confirmed = said["proposed"], said["confirmed"]
    may = all(set(who["roles"]) & MAY["manage_seals"] for who in (proposed, confirmed))
    if not may or set(proposed["persons"]) & set(confirmed["persons"]):
        raise SealError(f"seal {row.name} was not registered by two", message_zh=NOT_REGISTERED, code="seal_unsigned")


def register_own(ctx: Context, own: Callable[[], Sequence[RegisteredSeal]]) -> None:
    """Register the development seals that the sealer has, on a registry in which nothing ever was.

    This is the one entry without two persons; a real seal in the settings is never registered by itself.
    """
    with ctx.database.read() as session:
        if not registry.is_empty(session):
            return
    found = own()
    try:
        with ctx.database.write() as session:
            at = ctx.clock()
            for seal in found:
                audit.append(session, at, SYSTEM, "seal.registered", seal.name, development=True, **proof_of(seal))
                row = to_row(seal, at)
                sign_row(session, row, development=True)
                session.add(row)
    except IntegrityError:
        log.info("another sealer registered the development seal first")
