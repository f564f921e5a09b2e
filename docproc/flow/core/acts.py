"""What people do, signed in their name by the process in which they did it, and read again by those who rely on it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.flow.core.access import MAY, Act, Caller
from docproc.matter.load import digest_of
from docproc.process_keys import SignatureError
from docproc.store.signatures import check_row, sign_row
from docproc.store.tables.base import Signed


@dataclass(frozen=True, slots=True)
class Acted:
    """Who did something, and what was said with it."""

    subject: str
    persons: frozenset[str]
    """Who may have acted: the one that is named, and whose key it was."""
    org: str
    roles: frozenset[str]
    adopted: bool
    """It was done under a version that did not sign, and taken up from there."""
    said: JsonObject


def person(caller: Caller) -> JsonObject:
    """Who acts, in which roles, and how they proved who they are."""
    return {
        "id": caller.key_id,
        "subject": caller.subject,
        "persons": sorted(caller.persons),
        "org": caller.org,
        "roles": sorted(caller.roles),
        "how": caller.how,
    }


def sign_act(session: Session, caller: Caller, row: Signed, *, part: str = "signed", **said: object) -> None:
    """Sign a row in the name of who acts; raises as :func:`docproc.store.signatures.sign_row`."""
    sign_row(session, row, part=part, person=person(caller), **said)


def under(matter: str) -> JsonObject:
    """The rules under which somebody acts: the matter, and the hash of its file in force."""
    return {"matter": matter, "matter_sha256": digest_of(matter)}


def read_act(session: Session, row: Signed, act: Act, *, part: str = "signed") -> Acted:
    """Who did something, if the web process signed it and a role of theirs allowed it.

    Raises:
        SignatureError: it is not signed, or nobody who may do that did it.
    """
    said = check_row(session, row, part=part)
    who = said.get("person")
    if not isinstance(who, dict):
        raise SignatureError(f"{row.__tablename__}: nobody acted")
    acted = Acted(
        who["subject"], frozenset(who["persons"]), who["org"], frozenset(who["roles"]), bool(said.get("adopted")), said
    )
    if not acted.adopted and not acted.roles & MAY[act]:
        raise SignatureError(f"{row.__tablename__}: {acted.subject} had no role for {act}")
    return acted
