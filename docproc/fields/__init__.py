"""Field types with their pure validators, and the kernels that they are made of.

A new type is one file in :mod:`docproc.fields.types`.

A validator takes what was read and ``today`` and returns a :class:`Checked`; it
never raises and never asks an outside service. Code tables (regions) only warn,
because they become outdated; check digits, calendars and formats decide.
"""

from __future__ import annotations

from datetime import date

from docproc.fields.address import Division, locate, same_address
from docproc.fields.check_digits import (
    cid_check_digit,
    luhn_valid,
    mod11_10,
    mod37_36,
    mrz_check_digit,
    org_check_digit,
    uscc_check_digit,
    vin_check_digit,
)
from docproc.fields.chinese import cn_int, is_long, parse_cn_date, parse_period
from docproc.fields.field_type import FieldType
from docproc.fields.identity import cid_birth_sex
from docproc.fields.money import parse_amount, parse_rmb, plain_decimal, rmb_capitals
from docproc.fields.region import current_code, region_known, region_name
from docproc.fields.result import Checked, Validator, bad, good
from docproc.fields.text import fold, normalise_text, same_name, same_text
from docproc.fields.types import FIELD_TYPES, find_type
from docproc.fields.types.boxes.choice import enum
from docproc.fields.types.organisations.ecert import make_identifier
from docproc.fields.types.organisations.scope import ScopePhrase, split_scope
from docproc.fields.types.plain.period import period
from docproc.fields.working_days import Deadline, add_working_days, is_working_day, load_overrides

VALIDATORS: dict[str, Validator] = {
    **{name: kind.validator for name, kind in FIELD_TYPES.items() if kind.is_written and kind.validator is not None},
    "date_range": period,
    "enum": enum,
}
"""Name to validator: of every type that is written, ``date_range`` for a period, and ``enum`` for ticked options."""

BLANK = "此项未填写，请补填"


def validate(type_name: str, raw: str, *, today: date) -> Checked:
    """Check a value by the name of its type.

    Args:
        type_name: A key of :data:`VALIDATORS`, or several joined by ``|`` (``cid|passport``): the first that
            accepts the value decides; when none does, the problem is that of the first.
        raw: What was read or typed. Blank text is a problem here; whether a field may be blank is for the caller.
        today: The day of checking.

    Raises:
        ValueError: no such type.
    """
    unknown = [name for name in type_name.split("|") if name not in VALIDATORS]
    if unknown:
        raise ValueError(f"no field type {unknown[0]!r}: use one of {', '.join(sorted(VALIDATORS))}")
    if not normalise_text(raw):
        return bad("", BLANK)
    results = [VALIDATORS[name](raw, today=today) for name in type_name.split("|")]
    return next((result for result in results if result.ok), results[0])


__all__ = [
    "BLANK",
    "FIELD_TYPES",
    "VALIDATORS",
    "Checked",
    "Deadline",
    "Division",
    "FieldType",
    "ScopePhrase",
    "Validator",
    "add_working_days",
    "bad",
    "cid_birth_sex",
    "cid_check_digit",
    "cn_int",
    "current_code",
    "find_type",
    "fold",
    "good",
    "is_long",
    "is_working_day",
    "load_overrides",
    "locate",
    "luhn_valid",
    "make_identifier",
    "mod11_10",
    "mod37_36",
    "mrz_check_digit",
    "normalise_text",
    "org_check_digit",
    "parse_amount",
    "parse_cn_date",
    "parse_period",
    "parse_rmb",
    "plain_decimal",
    "region_known",
    "region_name",
    "rmb_capitals",
    "same_address",
    "same_name",
    "same_text",
    "split_scope",
    "uscc_check_digit",
    "validate",
    "vin_check_digit",
]
