"""Cross-check the fields of one page: agreement raises the confidence, contradiction lowers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from docproc.domain import Field
from docproc.fields import cid_birth_sex
from docproc.read.decoding.confidence import lower_confidence, raise_confidence

_SEXES = {"男": "男", "女": "女", "male": "男", "female": "女"}


def cross_check(fields: dict[str, Field], today: date) -> dict[str, Field]:
    """Cross-check the fields of a page.

    Args:
        fields: by name.
        today: a later birth date is impossible.
    """
    found = dict(fields)
    for name in ("cid", "operator_id", "rep_id"):
        if name in found and found[name].value:
            _check_citizen_number(found, name, today)
    return found


def _check_citizen_number(found: dict[str, Field], name: str, today: date) -> None:
    """Compare birth date and sex with those encoded in the citizen number (GB 11643-1999)."""
    number = found[name]
    assert number.value is not None
    try:
        born, sex = cid_birth_sex(number.value)
    except ValueError:
        return
    if born > today:
        others = (number.value, *number.alternatives)
        found[name] = replace(lower_confidence(number), value=None, alternatives=others)
        return
    if name == "rep_id":
        return  # the number of another person than the page is about
    birth = found.get("born_on")
    if birth is not None and birth.value:
        _rate(found, ("born_on", name), birth.value == born.isoformat())
    stated = found.get("sex")
    if stated is not None and stated.value in _SEXES:
        _rate(found, ("sex",), _SEXES[stated.value] == sex)


def _rate(found: dict[str, Field], names: Sequence[str], agree: bool) -> None:
    for name in names:
        found[name] = raise_confidence(found[name]) if agree else lower_confidence(found[name])
