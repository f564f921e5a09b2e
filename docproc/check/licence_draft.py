"""Build the licence to be sealed from the readings of an approved application; a pure function.

Numbers: a food licence is ``JY``, one digit for 主体业态, six for the division,
six running, one check digit by ISO 7064 MOD 11,10 (GB/T 17710; 食品经营许可和备案管理办法).
A firm's licence bears a unified social credit code (GB 32100-2015): ``92`` for a
sole trader, the division, an organisation code (GB 11714) and a check character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from docproc.canonical import canonical_sha256
from docproc.check.evidence import Evidence
from docproc.check.reconcile import gather_joined
from docproc.check.rules import last_day
from docproc.domain import Licence, PageReading
from docproc.errors import ConflictError
from docproc.fields import make_identifier
from docproc.fields.check_digits import USCC_ALPHABET, mod11_10, org_check_digit, uscc_check_digit
from docproc.matter.model import FieldSpec, Matter

SOLE_TRADER = "92"
"""GB 32100-2015: registered by market regulation (9), sole trader (2)."""


def series(matter: Matter, readings: Sequence[PageReading]) -> str:
    """Name of the series that the licence's running number is taken from."""
    return f"licence:{matter.licence.kind}:{_stem(matter, gather_joined(matter, readings))}"


def draft_licence(
    matter: Matter,
    readings: Sequence[PageReading],
    *,
    serial: int,
    application: str,
    authority: str,
    authority_code: str,
    today: date,
    verify_url: str,
) -> Licence:
    """The licence for an approved application.

    Args:
        matter: the matter that was applied for.
        readings: every page, with persons' corrections.
        serial: running number of the series named by :func:`series`, from 1.
        application: number of the application.
        authority: name of the issuing authority.
        authority_code: its unified social credit code.
        today: day of issue.
        verify_url: address in the QR code.

    Raises:
        ConflictError: a field that goes onto the licence was not read and not corrected.
    """
    evidence = gather_joined(matter, readings)
    spec = matter.licence
    holder = _text(evidence, spec.holder)
    if not holder and spec.holder_or is not None:
        holder = _text(evidence, spec.holder_or)
    if not holder:
        raise ConflictError("the holder's name is blank", message_zh="持证人名称为空，不能制证")
    number = number_of(matter, evidence, serial)
    return Licence(
        number=number,
        kind=spec.kind,
        matter=matter.id,
        version=1,
        application=application,
        title=matter.name,
        holder=holder,
        authority=authority,
        authority_code=authority_code,
        issued_on=today,
        valid_from=today,
        valid_to=last_day(today, spec.valid_years) if spec.valid_years else None,
        fields=tuple((name, label, _text(evidence, reference)) for name, label, reference in spec.fields),
        verify_url=verify_url,
        identifier=_identifier(matter, authority_code, number) if authority_code else "",
        joint=tuple((item.authority, item.authority_code) for item in spec.co_seals),
    )


def drafted_sha256(licence: Licence) -> str:
    """SHA-256 of what a licence says, but for its number, its days and its address: what an official approves."""
    return canonical_sha256(
        [licence.matter, licence.kind, licence.title, licence.holder, *map(list, licence.fields), *licence.joint]
    )


def numbered(matter: Matter, licence: Licence, number: str) -> Licence:
    """A licence under a number that was given to it before."""
    code = licence.authority_code
    return replace(licence, number=number, identifier=_identifier(matter, code, number) if code else "")


def _identifier(matter: Matter, authority_code: str, number: str) -> str:
    """Electronic licence identifier (GB/T 36904): the type is a type of the issuing authority's own list."""
    serial = re.sub(r"[^0-9A-Z]", "", number)
    return make_identifier(authority_code + matter.licence.type_suffix, authority_code, serial)


def number_of(matter: Matter, evidence: Evidence, serial: int) -> str:
    """The licence's number; the same serial always gives the same number."""
    kind = matter.licence.number
    stem = _stem(matter, evidence)
    if kind == "food":
        digits = f"{stem}{serial:06d}"
        return f"JY{digits}{mod11_10(digits)}"
    if kind == "uscc":
        body = "MA" + _base31(serial, 6)
        return (code := f"{stem}{body}{org_check_digit(body)}") + uscc_check_digit(code)
    return f"{stem}-{serial:06d}"


def holder_code(licence: Licence) -> str | None:
    """Unified social credit code of the holder: a field of the licence, or the number that it assigns to a new firm."""
    code = next((value for name, _, value in licence.fields if name == "uscc"), "") or licence.number
    return code if len(code) == 18 else None


def _stem(matter: Matter, evidence: Evidence) -> str:
    region = matter.region or "000000"
    if matter.licence.number == "food":
        spec = evidence.specs[matter.form_material]["format"]
        chosen = _value(evidence, f"{matter.form_material}.format")
        keys = [option.value for option in spec.options]
        if chosen not in keys:
            raise ConflictError(f"format is {chosen!r}, not one option", message_zh="主体业态须选且仅选一项，不能制证")
        return f"{keys.index(chosen) + 1}{region}"
    if matter.licence.number == "uscc":
        return SOLE_TRADER + region
    return f"{matter.number_code}-{region}"


def _value(evidence: Evidence, reference: str) -> str:
    item = evidence.get(reference)
    if item is None:
        return ""
    if item.value is None:
        material, _, name = reference.partition(".")
        label = evidence.label(material, name)
        raise ConflictError(f"{reference} could not be read", message_zh=f"“{label}”未能识别，请先人工录入")
    return item.value


def _text(evidence: Evidence, reference: str) -> str:
    """What is printed for a reference: labels of ticked options, other values unchanged; ``=text`` gives ``text``."""
    if reference.startswith("="):
        return reference[1:]
    material, _, name = reference.partition(".")
    spec = evidence.specs.get(material, {}).get(name)
    return _labels(spec, _value(evidence, reference))


def _labels(spec: FieldSpec | None, value: str) -> str:
    if spec is None or not spec.options or not value:
        return value
    labels = {option.value: option.label for option in spec.options}
    return "、".join(labels.get(key, key) for key in value.split(","))


def _base31(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, rest = divmod(number, 31)
        digits = USCC_ALPHABET[rest] + digits
    if number:
        raise ConflictError("the series of numbers is used up", message_zh="编号已用尽，请联系管理员")
    return digits
