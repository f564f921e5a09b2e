"""What forbids an approval: what is unchecked, unread or missing, and findings that nobody took a stand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy.orm import Session

from docproc.check.check import must_scan_again
from docproc.check.licence_draft import draft_licence, drafted_sha256
from docproc.check.papers import unsettled
from docproc.domain import PageReading
from docproc.errors import ConflictError
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.matter.rule_kinds import Common
from docproc.store.applications import pages
from docproc.store.tables.applications import ApplicationRow

Sees = Callable[[str | None], bool]


class MissingPaperError(ConflictError):
    """A required paper is not there: a person names the page that is it, or the application is returned."""

    code = "missing_paper"


class UnconfirmedPaperError(ConflictError):
    """A paper is there only because a person says so: the reviewer looks at it and confirms it by name."""

    code = "unconfirmed_paper"


def confirmable(session: Session, row: ApplicationRow, names: Sequence[str], sees: Sees) -> tuple[str, ...]:
    """Of the materials that an official confirms by name those that the official sees and no reader recognised.

    Raises:
        InputError: the matter has no such material.
    """
    matter = find_matter(row.matter)
    for name in names:
        matter.check_material(name)
    claimed = unsettled(matter, _readings(session, row)).claimed
    return tuple(key for key in claimed if key in set(names) and sees(key))


def check_approvable(
    session: Session, row: ApplicationRow, set_aside: Sequence[str], confirmed: Sequence[str], today: date
) -> str:
    """Nothing is approved unchecked, unread, missing, or against a finding that nobody took a stand on.

    Returns:
        A hash of what the licence would say (:func:`docproc.check.licence_draft.drafted_sha256`).

    Raises:
        MissingPaperError, UnconfirmedPaperError, ConflictError: it is.
    """
    check_findings(session, row, set_aside, confirmed, lambda _: True)
    if row.verdict not in ("pass", "look") and not set_aside:
        raise ConflictError(
            f"the verdict is {row.verdict}", message_zh="还有问题没有处理，不能批准", code="open_findings"
        )
    return _try_draft(find_matter(row.matter), row.number, _readings(session, row), today)


def check_findings(
    session: Session, row: ApplicationRow, set_aside: Sequence[str], confirmed: Sequence[str], sees: Sees
) -> None:
    """The same of the papers that somebody sees, without the licence.

    Raises:
        MissingPaperError, UnconfirmedPaperError, ConflictError: something forbids it.
    """
    if row.checked_revision != row.revision:
        raise ConflictError("the check is not finished", message_zh="材料正在核验，请稍候", code="not_checked")
    matter, readings = find_matter(row.matter), _readings(session, row)
    found = [item for _, item in pages.findings_of(session, row.number) if sees(item.material)]
    if any(item.severity == "block" for item in found):
        raise ConflictError("a finding blocks approval", message_zh="存在不予通过的问题，不能批准", code="blocked")
    _check_papers(matter, readings, confirmed, sees)
    by_name = {rule.id for rule in matter.rule if isinstance(rule, Common) and rule.kind == "claimed_page"}
    open_codes = {item.code for item in found if item.severity == "fix" or item.look} - by_name - set(set_aside)
    unread = any(must_scan_again(reading) for reading in readings if sees(reading.material))
    if open_codes or (unread and not set_aside):
        told = ", ".join(sorted(open_codes))
        message = f"open findings ({told}): correct fields, return, or set them aside with a reason"
        raise ConflictError(message, message_zh="还有问题没有处理，不能批准", code="open_findings")


def _check_papers(matter: Matter, readings: Sequence[PageReading], confirmed: Sequence[str], sees: Sees) -> None:
    left = unsettled(matter, readings)
    if missing := [key for key in left.missing if sees(key)]:
        raise MissingPaperError(
            f"not there: {', '.join(missing)}; name the page that is it, or return the application",
            message_zh=f"缺少必需的材料，不能批准：{_names(matter, missing)}",
        )
    if open_ := [key for key in left.claimed if sees(key) and key not in confirmed]:
        raise UnconfirmedPaperError(
            f"not recognised: {', '.join(open_)}; look at the pages and name them in `confirmed`",
            message_zh=f"材料是人工指明的，须逐项核对确认后才能批准：{_names(matter, open_)}",
        )


def _names(matter: Matter, keys: Sequence[str]) -> str:
    return "、".join(f"《{matter.find_material(key).name}》" for key in keys)


def _readings(session: Session, row: ApplicationRow) -> list[PageReading]:
    return [reading for _, reading in pages.readings_of(session, row.number)]


def _try_draft(matter: Matter, number: str, readings: Sequence[PageReading], today: date) -> str:
    """Find out now, not after the approval, that a licence cannot be made of what was read."""
    made = draft_licence(
        matter,
        readings,
        serial=1,
        application=number,
        authority="",
        authority_code="",
        today=today,
        verify_url="",
    )
    return drafted_sha256(made)
