"""Joint approval: several departments give their opinions on one application, each on the papers that it needs.

The department of a caller is the one that bears the caller's organisation in the
matter file. It sees what was submitted only from the moment of submission, and of
that only its own papers; the lead department, and whoever took the application in,
see all. Opinions belong to the round since the last submission; one on papers that
changed afterwards no longer counts, and the department is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from docproc.domain import DecisionAction
from docproc.errors import AccessError, ConflictError, NotFoundError
from docproc.flow.applications import views
from docproc.flow.applications.views import ApplicationView, OpinionView
from docproc.flow.core import reads
from docproc.flow.core.access import Act, Caller
from docproc.lifecycle import outcome
from docproc.matter.load import find_matter, load_catalogue
from docproc.matter.model import Department, Matter
from docproc.store.accounts.api_keys import persons_behind
from docproc.store.applications import opinions, pages
from docproc.store.signatures import is_signed
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.review import OpinionRow

ACTS: frozenset[Act] = frozenset({"view", "view_file", "correct", "assign", "accept", "return", "reject", "approve"})
"""What a department may do with an application that another organisation took in."""
LEAD_ACTS: frozenset[Act] = ACTS | {"release"}
NUMERALS = "一二三四五六七八九十"
Result = tuple[DecisionAction, str, str, list[str], tuple[str, ...]]
"""Action, reason, basis, findings set aside and papers confirmed by name."""


def matters_of(org: str) -> tuple[str, ...]:
    """Matters in whose joint approval an organisation takes part."""
    return tuple(m.id for m in load_catalogue().values() if m.department_of(org) is not None)


def check_sees(caller: Caller, row: ApplicationRow, act: Act) -> None:
    """Hide applications of others, but let the departments of a joint approval do their part.

    Raises:
        NotFoundError: the same as for one that does not exist.
    """
    matter = find_matter(row.matter)
    department = matter.department_of(caller.org)
    allowed = LEAD_ACTS if department is not None and department.org == matter.department[0].org else ACTS
    if department is None or caller.sees_own_only or row.submitted_at is None or act not in allowed:
        caller.check_sees(row)


def scope(caller: Caller, row: ApplicationRow) -> Department | None:
    """The department by whose papers the caller's sight is limited; ``None``: everything is seen."""
    if caller.sees_all or caller.org == row.org:
        return None
    return find_matter(row.matter).department_of(caller.org)


def desk(caller: Caller, row: ApplicationRow) -> str:
    """Whose claim keeps others from changing the application: departments work side by side."""
    department = find_matter(row.matter).department_of(caller.org)
    return department.org if department is not None else ""


def view(session: Session, caller: Caller, row: ApplicationRow, *, receipt: bool = False) -> ApplicationView:
    """The application as the caller sees it, with the opinions on it.

    The code that opens the application afterwards does what only the applicant is to do, so it is told to who handed in
    for them and to nobody else; to a kiosk's bare key only with what it prints a ``receipt`` of: who looks on with the
    same key does not learn it.
    """
    seen = scope(caller, row)
    found = views.application(session, row, seen.sees if seen is not None else None)
    looks_on = caller.sees_own_only and caller.session is None and not receipt
    if looks_on or row.created_by != caller.subject:
        found["follow_code"] = ""
    reads.note(caller, "case", row.number)
    return {**found, "opinions": _shown(session, caller, row)}


def check_page(session: Session, caller: Caller, row: ApplicationRow, page_id: str, index: int | None = None) -> None:
    """Refuse a page of a file, or the whole file, that the caller's department does not need.

    Raises:
        NotFoundError: the same as for one that does not exist.
    """
    seen = scope(caller, row)
    if seen is None:
        return
    materials = [
        reading.material
        for page, reading in pages.readings_of(session, row.number)
        if page.id == page_id and index in (None, reading.index)
    ]
    if not seen.sees(None) and (not materials or not all(map(seen.sees, materials))):
        raise NotFoundError(f"no page {page_id!r}", message_zh="没有这份材料")


def standing(session: Session, row: ApplicationRow) -> dict[str, OpinionRow | None]:
    """For each department its opinion that counts now."""
    if not find_matter(row.matter).department:
        return {}
    given = {item.org: item for item in opinions.of_round(session, row.number, opinions.round_of(session, row))}
    found: dict[str, OpinionRow | None] = {}
    for department in find_matter(row.matter).department:
        item = given.get(department.org)
        seen = item is not None and item.seen_sha256 == content_of(session, row, department)
        counts = seen and item is not None and is_signed(session, item)
        found[department.org] = item if counts else None
    return found


def content_of(session: Session, row: ApplicationRow, department: Department) -> str:
    """Hash of what a department sees; what the organisation that took it in sees is everything."""
    whole = department.org == row.org
    return views.application(session, row, None if whole else department.sees)["content_sha256"]


def own_department(matter: Matter, caller: Caller) -> Department:
    """The caller's department.

    Raises:
        AccessError: the caller's organisation is none of them.
    """
    department = matter.department_of(caller.org)
    if department is None:
        raise AccessError(f"{caller.org} is no department of {matter.id}", message_zh="您的单位不是本事项的审批部门")
    return department


def check_may_speak(
    session: Session, caller: Caller, department: Department, now: dict[str, OpinionRow | None]
) -> None:
    """One opinion a department, one person for one department; who gave an opinion may replace it.

    Raises:
        ConflictError: the department gave its opinion already.
        AccessError: the person spoke for another department.
    """
    for org, item in now.items():
        if item is not None and org == department.org and item.by != caller.subject:
            raise ConflictError(f"{org} gave its opinion", message_zh="本部门已出具意见", code="opinion_given")
        if item is not None and org != department.org:
            others = persons_behind(session, item.by, item.at)
            caller.check_not(others, "speaks for another department", "同一人不能代表两个部门出具意见")


def result(matter: Matter, given: Sequence[OpinionRow | None]) -> Result | None:
    """What follows from the opinions of all; ``None``: nothing yet."""
    action = outcome([item.action if item is not None else None for item in given])
    if action is None:
        return None
    telling = [item for item in given if item is not None and item.action == action and item.reason]
    names = {d.org: d.name for d in matter.department}
    parts = [f"{NUMERALS[n]}、{names[item.org]}：\n{item.reason}" for n, item in enumerate(telling)]
    basis = dict.fromkeys(item.basis for item in telling if item.basis)
    aside = (
        sorted({code for item in given if item is not None for code in item.set_aside}) if action == "approve" else []
    )
    named = {key for item in given if item is not None for key in item.confirmed} if action == "approve" else set()
    return action, "\n".join(parts), "；".join(basis), aside, tuple(sorted(named))


def _shown(session: Session, caller: Caller, row: ApplicationRow) -> list[OpinionView]:
    """Every department's opinion; its reason only to those who see everything, and to the department itself."""
    matter = find_matter(row.matter)
    if not matter.department:
        return []
    last = {item.org: item for item in opinions.of_round(session, row.number, opinions.round_of(session, row))}
    current = standing(session, row) if row.status in ("submitted", "accepted") else last
    seen = scope(caller, row)
    return [
        {
            "org": d.org,
            "name": d.name,
            "duty": d.duty,
            "action": item.action if item is not None else None,
            "outdated": item is not None and current.get(d.org) is None,
            "at": item.at.isoformat() if item is not None else None,
            "by": item.by if item is not None and open_ else None,
            "reason": item.reason if item is not None and open_ else "",
            "basis": item.basis if item is not None and open_ else "",
            "confirmed": item.confirmed if item is not None and open_ else [],
        }
        for d in matter.department
        for item in [last.get(d.org)]
        for open_ in [seen is None or seen.sees(None) or seen.org == d.org]
    ]
