"""一次性告知书: everything that an applicant has to mend, on paper, told once (行政许可法 第32条第1款第4项)."""

from __future__ import annotations

from dataclasses import dataclass

from docproc.form.draw import default_faces
from docproc.form.fill import wrap
from docproc.form.pen import Faces, Paper

PAGE_MM = (210.0, 297.0)
_LEFT, _RIGHT, _TOP, _BOTTOM = 25.0, 185.0, 32.0, 270.0
_SIZE, _LINE = 4.6, 8.0
"""Height of a character and of a line, mm."""
_TITLE = "一次性告知书"


@dataclass(frozen=True, slots=True)
class Notice:
    """What the notice says."""

    number: str
    matter: str
    authority: str
    submitted_on: str
    """In words, for example ``2026年11月23日``."""
    decided_on: str
    reason: str
    """Everything to be mended, one item a line."""
    basis: str
    address: str
    """Where the applicant follows the application."""


def draw_notice(notice: Notice, *, faces: Faces | None = None) -> bytes:
    """The notice as PDF, A4; as many pages as it needs.

    Raises:
        SetupError: the fonts have not been fetched.
    """
    lines = [line for part in _paragraphs(notice) for line in wrap(part, (_RIGHT - _LEFT) / _SIZE)]
    foot = [notice.authority, notice.decided_on]
    head = f"编号：{notice.number}"
    paper = Paper(faces or default_faces(), _TITLE + head + "".join([*lines, *foot]) + "第页0123456789")
    page, y = 0, _BOTTOM + 1
    for line in lines:
        if y > _BOTTOM:
            page, y = page + 1, _begin(paper, page + 1, head)
        paper.text(_LEFT, y, line, _SIZE)
        y += _LINE
    if y + 3 * _LINE > _BOTTOM:
        page, y = page + 1, _begin(paper, page + 1, head)
    for place, line in enumerate(foot, 2):
        paper.text(_RIGHT, y + place * _LINE, line, _SIZE, align="right")
    return paper.to_bytes(_TITLE, notice.number)


def _begin(paper: Paper, page: int, head: str) -> float:
    """Start a page; returns the height of its first line of text."""
    paper.new_page(PAGE_MM)
    paper.text(_RIGHT, 18.0, f"{head}　第{page}页", 3.6, align="right", grey=0.35)
    if page > 1:
        return _TOP
    paper.text(PAGE_MM[0] / 2, _TOP, _TITLE, 8.5, face="sans", align="centre")
    return _TOP + 20


def _paragraphs(notice: Notice) -> list[str]:
    by = f"依据{notice.basis}，" if notice.basis else ""
    return [
        f"　　您（单位）于{notice.submitted_on}提交的“{notice.matter}”申请（办件编号{notice.number}），"
        f"经审查，申请材料不齐全或者不符合法定形式。{by}现将需要补正的全部内容一次性告知如下：",
        "",
        *notice.reason.splitlines(),
        "",
        f"　　请按以上内容补正后再次提交。办理进度和补交方式见：{notice.address}",
    ]
