"""Sheets of one page of a form: which belong together, and which cannot be placed among the others.

A page with a table may be printed on several sheets, each with its place, n of m, and the print-out's serial in its
code. A sheet of another print-out, or one of another number of sheets, belongs to no table here. Of a sheet that was
scanned twice the first readable scan counts. A page whose code could not be read may be any of the sheets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from docproc.domain import PageReading
from docproc.matter.model import Matter

Why = Literal["mixed", "doubled", "same", "unread"]


@dataclass(frozen=True, slots=True, eq=False)
class Loose:
    """A sheet that stands apart from the form."""

    page: PageReading
    why: Why
    """Of another print-out; scanned before with other content, or with the same; or its code could not be read."""


def loose_sheets(matter: Matter, readings: Sequence[PageReading]) -> tuple[Loose, ...]:
    """The sheets of all forms that stand apart; none where no page was printed on several sheets.

    Args:
        matter: whose forms they are.
        readings: every page that was handed in, in order.
    """
    found: list[Loose] = []
    for material in matter.form_ids:
        mine = [reading for reading in readings if reading.material == material]
        if any(reading.sheets > 1 for reading in mine):
            found += _loose(matter, mine)
    return tuple(found)


def missing_sheets(pages: Sequence[PageReading]) -> list[tuple[int, int, int]]:
    """Page, sheet and number of sheets of what a form lacks, of the pages that are there in part."""
    there = {(page.page, page.sheet): page.sheets for page in pages}
    wanted = {(page, sheet, count) for (page, _), count in there.items() for sheet in range(1, count + 1)}
    return sorted(item for item in wanted if item[:2] not in there)


def page_name(page: int, sheet: int, sheets: int) -> str:
    """Where a page belongs in its form, for people."""
    return f"第{page}页{sheet_name(sheet, sheets)}"


def sheet_name(sheet: int, sheets: int) -> str:
    """Which of its sheets a page is, for people; empty where it was printed on one."""
    return f"第{sheet}张（共{sheets}张）" if sheets > 1 else ""


def _loose(matter: Matter, mine: Sequence[PageReading]) -> Iterator[Loose]:
    prints: dict[str, list[PageReading]] = {}
    for reading in mine:
        if reading.form_id is not None:
            prints.setdefault(reading.form_id, []).append(reading)
    if not prints:
        return
    main = max(prints.values(), key=lambda pages: len({(page.page, page.sheet) for page in pages}))
    for pages in prints.values():
        if pages is main or _is_whole(matter, pages):
            yield from _within(pages)
        else:
            yield from (Loose(page, "mixed") for page in pages)
    lacking = {page for page, _, _ in missing_sheets(main)}
    yield from (Loose(page, "unread") for page in mine if page.form_id is None and page.page in lacking)


def _is_whole(matter: Matter, pages: Sequence[PageReading]) -> bool:
    """Whether every page and sheet of the form is there, so that it is a form of its own."""
    first = pages[0]
    known = [form for form in matter.form if form.material == first.material and form.edition == first.edition]
    there = {page.page for page in pages}
    return bool(known) and there >= set(range(1, len(known[0].page) + 1)) and not missing_sheets(pages)


def _within(pages: Sequence[PageReading]) -> Iterator[Loose]:
    """Of one print-out: sheets of another number than most say, and those that were scanned before."""
    counts: dict[int, Counter[int]] = {}
    for page in pages:
        counts.setdefault(page.page, Counter())[page.sheets] += 1
    usual = {page: count.most_common(1)[0][0] for page, count in counts.items()}
    kept: dict[tuple[int, int], PageReading] = {}
    for page in sorted(pages, key=lambda item: item.quality.verdict == "rescan"):  # stable: readable scans first
        if page.sheets != usual[page.page]:
            yield Loose(page, "mixed")
        elif page.sheets > 1 and (first := kept.setdefault((page.page, page.sheet), page)) is not page:
            yield Loose(page, "same" if _values(page) == _values(first) else "doubled")


def _values(page: PageReading) -> dict[str, str | None]:
    return {name: item.value for name, item in page.fields.items()}
