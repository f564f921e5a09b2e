"""Continuation sheets: a page with tables, printed as often as its rows need, each sheet with its place in the code.

Sheet ``n`` of ``m`` holds the rows that follow those of sheet ``n - 1``: with eight rows on a page, sheet 2 begins with
row 9. So a row has one name (``staff.9.name``) wherever and in whatever order the sheets are scanned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from docproc.domain import Field
from docproc.errors import InputError
from docproc.form.layout import FormLayout
from docproc.marks import MOST_SHEETS


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of paper of a print-out."""

    page: int
    """1-based page of the form."""
    number: int = 1
    count: int = 1
    """Sheets that this page is printed on."""


def capacities(layout: FormLayout, page: int | None = None) -> dict[str, int]:
    """Rows that one sheet has of each table, of one page or of all."""
    found: dict[str, int] = {}
    for place in layout.fields:
        table, row = _row_of(place.name)
        if row and page in (None, place.page):
            found[table] = max(row, found.get(table, 0))
    return found


def plan(layout: FormLayout, least: int = 1, names: Iterable[str] = ()) -> list[Sheet]:
    """The sheets of a print-out, in their order.

    Args:
        layout: of the form.
        least: sheets of every page that has a table.
        names: fields to be filled in; a page gets as many sheets as their rows need.

    Raises:
        InputError: more sheets than a code can tell, or of a form without a table.
    """
    if not 1 <= least <= MOST_SHEETS:
        raise InputError(f"{least} sheets: print 1 to {MOST_SHEETS}", message_zh=f"张数须为 1 至 {MOST_SHEETS}")
    if least > 1 and not capacities(layout):
        raise InputError(f"{layout.material} has no table to go on with", message_zh="这份表格没有可以续页的表")
    highest: dict[str, int] = {}
    for name in names:
        table, row = _row_of(name)
        highest[table] = max(row, highest.get(table, 0))
    found = []
    for page in range(1, layout.pages + 1):
        held = capacities(layout, page)
        count = max([least if held else 1, *(-(-highest.get(table, 0) // rows) for table, rows in held.items())])
        if count > MOST_SHEETS:
            raise InputError(f"{count} sheets of page {page}: at most {MOST_SHEETS}", message_zh="表格行数过多")
        found += [Sheet(page, number, count) for number in range(1, count + 1)]
    return found


def values_on(layout: FormLayout, sheet: Sheet, values: Mapping[str, str]) -> dict[str, str]:
    """What stands on a sheet, by the names of the layout; what is no row stands on the first sheet."""
    held = capacities(layout, sheet.page)
    elsewhere = capacities(layout).keys() - held.keys()
    found = {}
    for name, value in values.items():
        table, row = _row_of(name)
        if not row or table not in held:
            if sheet.number == 1 and table not in elsewhere:
                found[name] = value
        elif (row - 1) // held[table] + 1 == sheet.number:
            found[_renamed(name, (row - 1) % held[table] + 1)] = value
    return found


def continued(layout: FormLayout, page: int, number: int, fields: Mapping[str, Field]) -> dict[str, Field]:
    """Fields read from a sheet, its rows named by their place in the whole table."""
    held = capacities(layout, page)
    found = {}
    for name, item in fields.items():
        table, row = _row_of(name)
        if row and table in held:
            name = _renamed(name, row + (number - 1) * held[table])
        found[name] = replace(item, name=name)
    return found


def _row_of(name: str) -> tuple[str, int]:
    """Table and row of a cell's name; row 0 where it is no cell."""
    parts = name.split(".")
    return (parts[0], int(parts[1])) if len(parts) == 3 and parts[1].isdecimal() else (parts[0], 0)


def _renamed(name: str, row: int) -> str:
    table, _, column = name.split(".")
    return f"{table}.{row}.{column}"
