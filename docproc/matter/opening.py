"""Whether a matter can be applied for: 法无授权不可为, no application without a law of its own that is in force.

The laws that all matters share (licensing law, identity cards, online services) say how an office works and authorise
no matter. A matter that was abolished (``retired``) opens nothing and grants nothing; what was handed in stays
readable. One that was passed down (``delegated``) opens only at the organisations that it was passed to; what was
handed in before is finished where it is (国发〔2013〕19号 and later decisions on 取消和下放).
"""

from __future__ import annotations

from datetime import date

from docproc.errors import ConflictError
from docproc.matter.model import Matter


class MatterClosedError(ConflictError):
    """The matter is not taken here, or no longer at all."""

    code = "matter_closed"
    message_zh = "该事项已停止受理"


def check_opens(matter: Matter, on: date, org: str | None = None) -> None:
    """Refuse to begin an application, or to print a form for one.

    Args:
        matter: what is applied for.
        on: the day.
        org: organisation that would take it; ``None`` for any one of this installation.

    Raises:
        MatterClosedError: retired, passed to others, or no law of its own is in force.
    """
    reason = why_closed(matter, on, org)
    if reason is not None:
        raise reason


def check_grants(matter: Matter, on: date) -> None:
    """Refuse to accept or approve what was handed in earlier.

    Raises:
        MatterClosedError: retired, or no law of its own is in force.
    """
    reason = _abolished(matter, on)
    if reason is not None:
        raise reason


def opens(matter: Matter, on: date, org: str | None = None) -> bool:
    """Whether an application can begin; see :func:`check_opens`."""
    return why_closed(matter, on, org) is None


def why_closed(matter: Matter, on: date, org: str | None = None) -> MatterClosedError | None:
    """Why no application begins; ``None`` where one can."""
    reason = _abolished(matter, on)
    if reason is not None or matter.delegated is None:
        return reason
    here = matter.delegated.org
    if here and (org is None or org in here):
        return None
    to = matter.delegated.authority
    return MatterClosedError(f"matter {matter.id} was delegated to {to}", message_zh=f"该事项已下放，请到{to}办理")


def _abolished(matter: Matter, on: date) -> MatterClosedError | None:
    if matter.status == "retired":
        return MatterClosedError(f"matter {matter.id} is retired")
    if matter.basis_in_force(on):
        return None
    return MatterClosedError(
        f"no legal basis of matter {matter.id} itself is in force on {on}",
        message_zh="该事项目前没有现行有效的办理依据，不能受理",
    )
