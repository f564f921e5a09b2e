"""A seal as a row of the registry, as the body of a change, and as the audit log keeps it."""

from __future__ import annotations

import base64
import hashlib
import zlib
from datetime import datetime
from typing import TypedDict

from docproc.errors import SealError
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.store.tables.seals import SealBody, SealRow


class SealProof(TypedDict):
    """What the audit log keeps of a seal, so that a changed entry shows."""

    owner: str
    owner_code: str
    certificate: str
    """SHA-256, as the next two."""
    art: str
    record: str
    licence_kinds: list[str]
    valid_to: str


def to_row(seal: RegisteredSeal, at: datetime) -> SealRow:
    """A seal as a row of the registry."""
    return SealRow(
        name=seal.name,
        owner=seal.owner,
        owner_code=seal.owner_code,
        kind=seal.kind,
        filing_number=seal.filing_number,
        certificates=[_text(item) for item in seal.certificates],
        certificate_sha256=seal.certificate_sha256,
        diameter=seal.diameter,
        art=seal.art,
        art_sha256=seal.art_sha256,
        licence_kinds=list(seal.licence_kinds),
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
        suspended=seal.suspended,
        record=seal.record,
        registered_at=at,
    )


def from_row(row: SealRow) -> RegisteredSeal:
    """Inverse of :func:`to_row`.

    Raises:
        SealError: art or certificate are not those whose hashes were registered.
    """
    seal = RegisteredSeal(
        name=row.name,
        owner=row.owner,
        owner_code=row.owner_code,
        kind=row.kind,
        filing_number=row.filing_number,
        certificates=tuple(base64.b64decode(item) for item in row.certificates),
        diameter=row.diameter,
        art=row.art,
        licence_kinds=tuple(row.licence_kinds),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        suspended=row.suspended,
        record=row.record,
    )
    try:
        same = (seal.certificate_sha256, seal.art_sha256) == (row.certificate_sha256, row.art_sha256)
    except zlib.error:
        same = False
    if not same:
        raise SealError(f"the entry of seal {row.name} is damaged", message_zh="印章备案信息已损坏，不能签章")
    return seal


def to_body(seal: RegisteredSeal) -> SealBody:
    """A seal that is to be registered, as JSON values."""
    return {
        "name": seal.name,
        "owner": seal.owner,
        "owner_code": seal.owner_code,
        "kind": seal.kind,
        "filing_number": seal.filing_number,
        "certificates": [_text(item) for item in seal.certificates],
        "diameter": seal.diameter,
        "art": _text(seal.art),
        "licence_kinds": list(seal.licence_kinds),
        "valid_from": seal.valid_from.isoformat(),
        "valid_to": seal.valid_to.isoformat(),
        "record": _text(seal.record),
    }


def from_body(body: SealBody) -> RegisteredSeal:
    """Inverse of :func:`to_body`."""
    return RegisteredSeal(
        name=body["name"],
        owner=body["owner"],
        owner_code=body["owner_code"],
        kind=body["kind"],
        filing_number=body["filing_number"],
        certificates=tuple(base64.b64decode(item) for item in body["certificates"]),
        diameter=body["diameter"],
        art=base64.b64decode(body["art"]),
        licence_kinds=tuple(body["licence_kinds"]),
        valid_from=datetime.fromisoformat(body["valid_from"]),
        valid_to=datetime.fromisoformat(body["valid_to"]),
        record=base64.b64decode(body["record"]),
    )


def proof_of(seal: RegisteredSeal) -> SealProof:
    """What the audit log keeps of a seal."""
    return {
        "owner": seal.owner,
        "owner_code": seal.owner_code,
        "certificate": seal.certificate_sha256,
        "art": seal.art_sha256,
        "record": hashlib.sha256(seal.record).hexdigest() if seal.record else "",
        "licence_kinds": list(seal.licence_kinds),
        "valid_to": seal.valid_to.isoformat(),
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
