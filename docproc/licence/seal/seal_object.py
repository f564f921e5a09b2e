"""The seal object of GB/T 38540-2020 (电子印章数据, SES_Seal of version 4): what a seal maker signs about a seal.

It holds the owner's name, the certificates that may use the seal, its period and its picture, under the SM2 signature
of the maker (制章机构). Only makers whose certificate lies in the folder ``makers`` of the trust folder are believed: a
chain to a trusted root alone does not make anybody a maker. The picture is our art as SVG, so the maker's signature
covers, point for point, what is printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from asn1crypto import core, x509

from docproc.errors import InputError, SealError
from docproc.licence.keys.sm2 import SM2_WITH_SM3, verifies
from docproc.licence.page.art import SealArt
from docproc.licence.page.art_svg import to_svg
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.licence.verify.sm2_judge import check_sm2

if TYPE_CHECKING:
    from docproc.licence.keys.sm2_signer import Sm2Signer

VERSION, ORGANISATION, BY_CERTIFICATE, PICTURE = 4, 1, 1, "SVG"
VENDOR = "docproc"
MAX_BYTES = 512 * 1024
_SKEW = timedelta(minutes=5)


class _Header(core.Sequence):
    _fields: ClassVar[list[Any]] = [("id", core.IA5String), ("version", core.Integer), ("vendor", core.IA5String)]


class _Certificates(core.SequenceOf):
    _child_spec = core.OctetString


class _Property(core.Sequence):
    _fields: ClassVar[list[Any]] = [
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("cert_list_type", core.Integer),
        ("cert_list", _Certificates),
        ("created", core.GeneralizedTime),
        ("valid_from", core.GeneralizedTime),
        ("valid_to", core.GeneralizedTime),
    ]


class _Picture(core.Sequence):
    _fields: ClassVar[list[Any]] = [
        ("type", core.IA5String),
        ("data", core.OctetString),
        ("width", core.Integer),
        ("height", core.Integer),
    ]


class _Extension(core.Sequence):
    _fields: ClassVar[list[Any]] = [
        ("id", core.ObjectIdentifier),
        ("critical", core.Boolean, {"default": False}),
        ("value", core.OctetString),
    ]


class _Extensions(core.SequenceOf):
    _child_spec = _Extension


class _Info(core.Sequence):
    _fields: ClassVar[list[Any]] = [
        ("header", _Header),
        ("seal_id", core.IA5String),
        ("property", _Property),
        ("picture", _Picture),
        ("extensions", _Extensions, {"explicit": 0, "optional": True}),
    ]


class _SealObject(core.Sequence):
    _fields: ClassVar[list[Any]] = [
        ("info", _Info),
        ("certificate", core.OctetString),
        ("algorithm", core.ObjectIdentifier),
        ("signature", core.OctetBitString),
    ]


@dataclass(frozen=True, slots=True)
class SealObject:
    """The content of a seal object; its signature is not checked yet."""

    seal_id: str
    """Unique code of the seal; its filing number (备案号) here."""
    name: str
    """Of the owner."""
    certificates: tuple[bytes, ...]
    """DER; whoever holds one of their keys may use the seal."""
    created: datetime
    valid_from: datetime
    valid_to: datetime
    picture_type: str
    picture: bytes
    size_mm: tuple[int, int]
    """Width and height of the picture."""
    maker: x509.Certificate
    signed: bytes
    """DER of what the maker signed."""
    signature: bytes


def make_seal_object(seal: RegisteredSeal, maker: Sm2Signer, at: datetime) -> bytes:
    """Sign a seal as its maker; returns DER.

    Raises:
        InputError: the filing number is not ASCII, or the diameter is not whole millimetres, which the format demands.
    """
    if not seal.filing_number.isascii() or seal.diameter != int(seal.diameter):
        raise _refuse("a seal object needs a filing number in ASCII and a diameter in whole mm", "备案号或直径不合要求")
    info = _Info(
        {
            "header": {"id": "ES", "version": VERSION, "vendor": VENDOR},
            "seal_id": seal.filing_number,
            "property": {
                "type": ORGANISATION,
                "name": seal.owner,
                "cert_list_type": BY_CERTIFICATE,
                "cert_list": [seal.certificates[0]],
                "created": _seconds(at),
                "valid_from": _seconds(seal.valid_from),
                "valid_to": _seconds(seal.valid_to),
            },
            "picture": {
                "type": PICTURE,
                "data": to_svg(seal.drawing()),
                "width": int(seal.diameter),
                "height": int(seal.diameter),
            },
        }
    )
    own: x509.Certificate = maker.signing_cert
    made = {
        "info": info,
        "certificate": own.dump(),
        "algorithm": SM2_WITH_SM3,
        "signature": maker.key.sign(info.dump()),
    }
    return bytes(_SealObject(made).dump())


def read_seal_object(data: bytes) -> SealObject:
    """Parse a seal object of version 4 that names whole certificates.

    Raises:
        InputError: it is none, of another version or algorithm, names certificates by their digest only, or has an
            extension that must be understood.
    """
    if len(data) > MAX_BYTES:
        raise _refuse(f"a seal object has at most {MAX_BYTES} bytes", "数据过大")
    try:
        parsed = _SealObject.load(data, strict=True)
        info, said = parsed["info"], parsed["info"]["property"]
        kind = (info["header"]["id"].native, info["header"]["version"].native, said["type"].native)
        if kind != ("ES", VERSION, ORGANISATION) or said["cert_list_type"].native != BY_CERTIFICATE:
            raise ValueError(f"not the seal of an organisation in version {VERSION} with whole certificates")
        if parsed["algorithm"].native != SM2_WITH_SM3:
            raise ValueError("not signed by SM2 with SM3")
        if any(item["critical"].native for item in info["extensions"] or ()):
            raise ValueError("it has an extension that must be understood")
        maker = x509.Certificate.load(parsed["certificate"].native, strict=True)
        maker.public_key["public_key"].native  # noqa: B018  (asn1crypto parses lazily)
        picture = info["picture"]
        return SealObject(
            seal_id=info["seal_id"].native,
            name=said["name"].native,
            certificates=tuple(item.native for item in said["cert_list"]),
            created=said["created"].native,
            valid_from=said["valid_from"].native,
            valid_to=said["valid_to"].native,
            picture_type=picture["type"].native,
            picture=picture["data"].native,
            size_mm=(picture["width"].native, picture["height"].native),
            maker=maker,
            signed=info.dump(),
            signature=parsed["signature"].native,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise _refuse(f"not a seal object by GB/T 38540-2020: {error}", "数据格式不符合 GB/T 38540") from error


def check_maker(found: SealObject, trust: TrustList) -> None:
    """Check that a known seal maker signed a seal object, with a certificate that was good on that day.

    Raises:
        InputError: an unknown maker, a wrong signature, or the maker's certificate has no trusted chain, was out of its
            period, or is revoked.
    """
    known = {item.dump() for item in trust.makers}
    if found.maker.dump() not in known:
        raise _refuse(
            "its maker is unknown: put the maker's certificate into `makers` of the trust folder", "制章机构未获信任"
        )
    if not verifies(found.maker, found.signed, found.signature):
        raise _refuse("the maker's signature does not verify", "制章机构签名无效")
    try:
        check_sm2(found.maker, trust, found.created)
    except SealError as error:
        raise _refuse(f"the certificate of its maker does not hold: {error}", "制章机构证书无效") from error


def check_seal_object(seal: RegisteredSeal, trust: TrustList, at: datetime) -> None:
    """Check that a seal object is by a known maker and about this very registered seal.

    Raises:
        InputError: the object differs from the registry, or its maker is not trusted.
    """
    found = read_seal_object(seal.record)
    check_maker(found, trust)
    if found.created > at + _SKEW:
        raise _refuse("it was made in the future", "制作时间晚于当前时间")
    if (found.name, found.seal_id) != (seal.owner, seal.filing_number):
        raise _refuse("it is about another owner or filing number", "单位或备案号与备案信息不一致")
    if seal.certificates[0] not in found.certificates:
        raise _refuse("it does not name the seal's certificate", "不包含备案的印章证书")
    if not _seconds(found.valid_from) <= _seconds(seal.valid_from) <= _seconds(seal.valid_to) <= found.valid_to:
        raise _refuse("the registered period is not within its own", "有效期短于备案的有效期")
    if not _same_picture(found, seal.drawing()):
        raise _refuse(
            "its picture is not the registered art; make it from `docproc seal art`", "印章图形与备案的不一致"
        )


def _same_picture(found: SealObject, art: SealArt) -> bool:
    size = (int(art.diameter), int(art.diameter))
    return (found.picture_type.upper(), found.picture, found.size_mm) == (PICTURE, to_svg(art), size)


def _seconds(at: datetime) -> datetime:
    """GeneralizedTime has whole seconds here."""
    return at.astimezone(UTC).replace(microsecond=0)


def _refuse(problem: str, problem_zh: str) -> InputError:
    return InputError(
        f"seal object: {problem}", message_zh=f"电子印章数据（GB/T 38540）：{problem_zh}", code="seal_object"
    )
