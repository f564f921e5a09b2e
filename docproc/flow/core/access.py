"""Who may do what. Roles say which action, the organisation says on which applications."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from docproc.domain import SYSTEM as SYSTEM
from docproc.errors import AccessError, NotFoundError
from docproc.store.tables.applications import ApplicationRow

Role = Literal["kiosk", "clerk", "reviewer", "approver", "sealer", "auditor", "admin", "enterprise"]
Act = Literal[
    "create",
    "upload",
    "submit",
    "withdraw",
    "view",
    "view_file",
    "correct",
    "assign",
    "remark",
    "accept",
    "return",
    "reject",
    "approve",
    "release",
    "change_licence",
    "manage_keys",
    "manage_users",
    "manage_matters",
    "confirm_matters",
    "manage_retention",
    "manage_seals",
    "view_seals",
    "manage_trust",
    "view_kiosks",
    "report_line",
    "sit",
    "figures",
    "audit",
    "readers",
    "events",
    "wallet",
    "webhooks",
    "verify_many",
    "sms_log",
    "sms_again",
    "counter",
]

ROLES: tuple[Role, ...] = get_args(Role)
MAY: dict[Act, frozenset[Role]] = {
    "create": frozenset({"kiosk", "clerk"}),
    "upload": frozenset({"kiosk", "clerk"}),
    "submit": frozenset({"kiosk", "clerk"}),
    "withdraw": frozenset({"kiosk", "clerk"}),
    "view": frozenset({"kiosk", "clerk", "reviewer", "approver", "sealer", "auditor"}),
    "view_file": frozenset({"kiosk", "clerk", "reviewer", "approver", "auditor"}),
    "correct": frozenset({"clerk", "reviewer", "approver"}),
    "assign": frozenset({"kiosk", "clerk", "reviewer", "approver"}),
    "remark": frozenset({"kiosk", "clerk"}),
    "accept": frozenset({"reviewer", "approver"}),
    "return": frozenset({"reviewer", "approver"}),
    "reject": frozenset({"approver"}),
    "approve": frozenset({"reviewer", "approver"}),
    "release": frozenset({"sealer"}),
    "change_licence": frozenset({"approver"}),
    "manage_keys": frozenset({"admin"}),
    "manage_users": frozenset({"admin"}),
    "manage_matters": frozenset({"admin"}),
    "confirm_matters": frozenset({"admin", "approver"}),
    "manage_retention": frozenset({"admin"}),
    "manage_seals": frozenset({"approver", "sealer"}),
    "view_seals": frozenset({"approver", "sealer", "auditor"}),
    "manage_trust": frozenset({"approver", "sealer"}),
    "view_kiosks": frozenset({"clerk", "auditor", "admin"}),
    "report_line": frozenset({"kiosk"}),
    "sit": frozenset({"kiosk"}),
    "figures": frozenset({"approver", "auditor"}),
    "audit": frozenset({"auditor"}),
    "readers": frozenset({"approver", "auditor"}),
    "events": frozenset({"clerk", "reviewer", "approver", "auditor"}),
    "wallet": frozenset({"enterprise"}),
    "webhooks": frozenset({"enterprise", "clerk"}),
    "verify_many": frozenset({"enterprise", "clerk", "reviewer", "approver", "auditor"}),
    "sms_log": frozenset({"admin", "auditor"}),
    "sms_again": frozenset({"admin"}),
    "counter": frozenset({"clerk"}),
}
"""An administrator manages keys and sees no application: keys are power enough."""
EVERYWHERE: frozenset[Role] = frozenset({"auditor"})
"""Roles that see the applications of all organisations."""
OFFICE: frozenset[Role] = frozenset({"clerk", "reviewer", "approver", "sealer", "auditor"})
"""Roles of officials, who see what their organisation has; all others see what is theirs."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key came with the request."""

    key_id: str
    subject: str
    """Person or machine; two keys of one subject are one person."""
    org: str
    roles: frozenset[str]
    owner: str = ""
    """Who made the key and knows its secret, until its holder took it over; empty: the subject alone."""
    signed_in: bool = False
    """Whether the caller signed in with an account of a person, and not with a key."""
    how: str = "key"
    """How they signed in: ``password+totp``, ``oidc:`` and the hash of their identity at the provider, or ``key``."""
    session: frozenset[str] | None = None
    """Applications of the citizen's session in a kiosk's browser; ``None``: no such browser, but a key alone."""
    at: datetime | None = None
    """When they asked; ``None``: now."""
    address: str = ""
    """Where the request came from, as far as it is known; empty: on this machine."""

    @property
    def person(self) -> str:
        """To whom the caller's deeds are counted in the end."""
        return self.owner or self.subject

    @property
    def persons(self) -> frozenset[str]:
        """Who may be acting: the one that is named, and the one from whose hands the key came."""
        return frozenset({self.subject, self.person})

    def can(self, act: Act) -> bool:
        """Whether a role of the caller allows the action."""
        return bool(self.roles & MAY[act])

    def require(self, act: Act) -> None:
        """Refuse the action unless a role allows it.

        Raises:
            AccessError: no role does.
        """
        if not self.can(act):
            needed = ", ".join(sorted(MAY[act]))
            raise AccessError(f"{act} needs one of the roles {needed}", message_zh="您的账号没有此项权限")

    @property
    def sees_all(self) -> bool:
        """Whether applications of every organisation are visible."""
        return bool(self.roles & EVERYWHERE)

    @property
    def sees_own_only(self) -> bool:
        """Whether only applications that the caller made are visible, and of them those that are open."""
        return not self.roles & OFFICE

    @property
    def moment(self) -> datetime:
        """When they asked."""
        return self.at or datetime.now(UTC)

    def made(self, application: ApplicationRow) -> bool:
        """Whether an application was opened under the caller's name, at the caller's organisation."""
        return application.org == self.org and application.created_by == self.subject

    def check_sees(self, application: ApplicationRow) -> None:
        """Hide applications of others, and from a kiosk those that are not of the session at it.

        Raises:
            NotFoundError: the same as for one that does not exist.
        """
        mine = self._has_open(application) if self.sees_own_only else application.org == self.org
        if not (mine or self.sees_all):
            raise NotFoundError(f"no application {application.number!r}", message_zh="没有这个办件")

    def _has_open(self, application: ApplicationRow) -> bool:
        """A browser's session has its citizen's application open; a key alone, what it opened until a moment."""
        if self.session is not None:
            return self.made(application) and application.number in self.session
        until = application.kiosk_until
        return self.made(application) and until is not None and self.moment < until

    def check_not(self, persons: Collection[str], what: str, message_zh: str) -> None:
        """Separate duties: refuse when the caller may be a person who did the step before.

        ``persons`` comes from :func:`docproc.store.accounts.api_keys.persons_behind`: two keys that one person made
        are one person, and so are a person's account and a key that came from it.

        Raises:
            AccessError: it is, or may be, the same person.
        """
        if self.persons & set(persons):
            raise AccessError(f"who {what} must be another person", message_zh=message_zh, code="same_person")
