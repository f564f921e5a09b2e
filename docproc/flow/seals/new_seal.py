"""What somebody wants to register as a seal, and whether it is in order."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime

from docproc.assets.paths import SERIF, font
from docproc.errors import InputError, SealError
from docproc.flow.core.context import Context
from docproc.licence.page.art import draw
from docproc.licence.page.record import NOTICE
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal import registered_seal
from docproc.licence.seal.registered_seal import KINDS, RegisteredSeal
from docproc.licence.seal.seal_object import check_seal_object
from docproc.matter.load import load_catalogue

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")


@dataclass(frozen=True, slots=True)
class NewSeal:
    """What somebody wants to register."""

    name: str
    owner: str
    owner_code: str
    kind: str
    filing_number: str
    certificates: str
    """PEM, the seal's own first, each followed by its issuer."""
    licence_kinds: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    diameter: float = 42.0
    """mm."""
    purpose: str = ""
    """Line below the star of a 专用章."""
    emblem: bool = False
    """A place for the national emblem instead of the star, on the seal of a people's government."""
    record: str = ""
    """Seal object by GB/T 38540, base64 of its DER; an SM2 seal needs one."""


def checked(ctx: Context, new: NewSeal) -> RegisteredSeal:
    """The seal with its art drawn by rule.

    Raises:
        InputError: something in it is wrong, the name does not fit on a seal, or the certificate is not the owner's.
    """
    known = {matter.licence.kind for matter in load_catalogue().values()} | {NOTICE}
    if not _NAME.fullmatch(new.name):
        raise InputError("a seal's name is 1 to 60 of a-z, 0-9, _", message_zh="印章代号格式不正确")
    if new.kind not in KINDS:
        raise InputError(f"kind is one of {', '.join(KINDS)}", message_zh="印章种类不正确")
    if not _CODE.fullmatch(new.owner_code):
        raise InputError(f"{new.owner_code!r} is no credit code", message_zh="统一社会信用代码不正确")
    if not new.filing_number.strip():
        raise InputError("a filing number is needed", message_zh="请填写印章备案号")
    unknown = sorted(set(new.licence_kinds) - known)
    if unknown or not new.licence_kinds:
        raise InputError(f"licence types {unknown} are none of {', '.join(sorted(known))}", message_zh="证照种类不正确")
    chain = registered_seal.read_chain(new.certificates.encode())
    registered_seal.check_certificate(chain, new.owner, new.valid_from, new.valid_to)
    try:
        art = draw(new.owner, font(SERIF), diameter=new.diameter, purpose=new.purpose, emblem=new.emblem)
    except SealError as error:
        raise InputError(str(error), message_zh="单位名称、专用章文字或直径不符合印章规定") from error
    seal = RegisteredSeal(
        name=new.name,
        owner=new.owner,
        owner_code=new.owner_code,
        kind=new.kind,
        filing_number=new.filing_number.strip(),
        certificates=registered_seal.to_der(chain),
        diameter=new.diameter,
        art=art.compressed(),
        licence_kinds=tuple(sorted(set(new.licence_kinds))),
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        record=_record(new.record),
    )
    check_record(seal, TrustList.from_folder(ctx.settings.trust_dir) if seal.record else None, ctx.clock())
    return seal


def check_record(seal: RegisteredSeal, trust: TrustList | None, at: datetime) -> None:
    """Compare a seal with its seal object; one that signs by SM2 must have one.

    Raises:
        InputError: there is none, or it is not about this seal or by no known maker.
    """
    if seal.record and trust is not None:
        check_seal_object(seal, trust, at)
    elif seal.algorithm == "SM2":
        raise InputError(
            f"seal {seal.name} signs by SM2 and has no seal object by GB/T 38540: give it with --record",
            message_zh="国密印章须附电子印章数据（GB/T 38540）",
        )


def _record(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InputError("the seal object is not base64", message_zh="电子印章数据无法识别") from error
