"""What one field of a page says of another: agreement raises confidence, contradiction lowers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from docproc.domain import Field
from docproc.fields import cid_birth_sex

AGREED = 0.97
DOUBT = 0.5
_SEXES = {"男": "男", "女": "女", "male": "男", "female": "女"}


def weigh(fields: dict[str, Field], today: date) -> dict[str, Field]:
    """Set the fields of a page against each other.

    Args:
        fields: by name.
        today: nobody on a form was born later.
    """
    found = dict(fields)
    for name in ("cid", "operator_id", "rep_id"):
        if name in found and found[name].value:
            _by_cid(found, name, today)
    return found


def _by_cid(found: dict[str, Field], name: str, today: date) -> None:
    """Birth date and sex are written into the citizen number (GB 11643-1999)."""
    number = found[name]
    assert number.value is not None
    try:
        born, sex = cid_birth_sex(number.value)
    except ValueError:
        return
    if born > today:
        others = (number.value, *number.alternatives)
        found[name] = replace(number, value=None, confidence=min(number.confidence, DOUBT), alternatives=others)
        return
    if name == "rep_id":
        return  # the number of somebody else than the page is about
    day = found.get("born_on")
    if day is not None and day.value:
        _settle(found, ("born_on", name), day.value == born.isoformat())
    told = found.get("sex")
    if told is not None and told.value in _SEXES:
        _settle(found, ("sex",), _SEXES[told.value] == sex)


def _settle(found: dict[str, Field], names: Sequence[str], same: bool) -> None:
    for name in names:
        item = found[name]
        sure = max(item.confidence, AGREED) if same else min(item.confidence, DOUBT)
        found[name] = replace(item, confidence=sure)
