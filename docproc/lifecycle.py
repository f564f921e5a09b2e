"""The life of an application: a pure state machine.

::

    draft ──submit──▶ submitted ──accept──▶ accepted ──approve──▶ approved ──issue──▶ issued
      ▲                   │  ▲                  │  │
      │                   │  └────resubmit──────┼──┘return
      │                   └──return─▶ returned ─┘   reject ──▶ rejected
      └── withdraw from draft, submitted, returned ──▶ withdrawn

    accepted ◀──reopen── approved: an approval that nobody signed goes back to its official

``returned`` is 补正: the applicant was told once of everything that is missing
(行政许可法 第32条) and hands in again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from docproc.domain import DecisionAction
from docproc.errors import ConflictError

Status = Literal["draft", "submitted", "accepted", "returned", "approved", "issued", "rejected", "withdrawn"]
Action = Literal["submit", "accept", "return", "resubmit", "approve", "issue", "reopen", "reject", "withdraw"]

TRANSITIONS: dict[tuple[Status, Action], Status] = {
    ("draft", "submit"): "submitted",
    ("draft", "withdraw"): "withdrawn",
    ("submitted", "accept"): "accepted",
    ("submitted", "approve"): "approved",
    ("submitted", "return"): "returned",
    ("submitted", "reject"): "rejected",
    ("submitted", "withdraw"): "withdrawn",
    ("accepted", "approve"): "approved",
    ("accepted", "return"): "returned",
    ("accepted", "reject"): "rejected",
    ("returned", "resubmit"): "submitted",
    ("returned", "withdraw"): "withdrawn",
    ("approved", "issue"): "issued",
    ("approved", "reopen"): "accepted",
}
FINAL: frozenset[Status] = frozenset({"issued", "rejected", "withdrawn"})
OPEN_FOR_PAGES: frozenset[Status] = frozenset({"draft", "returned"})
STATUS_ZH: dict[Status, str] = {
    "draft": "填报中",
    "submitted": "已提交，待审核",
    "accepted": "已受理，审核中",
    "returned": "待补正",
    "approved": "已批准，制证中",
    "issued": "已发证",
    "rejected": "不予许可",
    "withdrawn": "已撤回",
}


def transition(status: Status, action: Action) -> Status:
    """The state after the action.

    Raises:
        ConflictError: the action is not allowed in this state.
    """
    try:
        return TRANSITIONS[status, action]
    except KeyError:
        allowed = ", ".join(sorted(a for s, a in TRANSITIONS if s == status)) or "nothing"
        raise ConflictError(
            f"cannot {action} an application that is {status}; allowed: {allowed}",
            message_zh=f"办件{STATUS_ZH[status]}，不能进行此操作",
        ) from None


def outcome(opinions: Sequence[DecisionAction | None]) -> DecisionAction | None:
    """What follows from the opinions of all departments in a joint approval; ``None`` while it is open.

    One refusal refuses at once. Everything else waits for the last opinion: asking for
    correction is done once, with what all of them want (行政许可法 第32条), and only
    what all agree to is approved.
    """
    if not opinions:
        return None
    if "reject" in opinions:
        return "reject"
    if None in opinions:
        return None
    return "return" if "return" in opinions else "approve"
