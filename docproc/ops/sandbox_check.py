"""What shuts in a parser of foreign files on this machine."""

from __future__ import annotations

from docproc.errors import DocprocError
from docproc.flow.core.sandboxes import is_strict
from docproc.ops.doctor import Check
from docproc.sandbox.demand import demand
from docproc.sandbox.probe import PROBE
from docproc.settings import Settings

_NO_NAMESPACES = "let docproc make namespaces (root with CAP_SYS_ADMIN, or user namespaces for everybody)"
_NO_USER = "start docproc as a user of its own that is not root, or let other users read its program"


def check_sandbox(settings: Settings) -> list[Check]:
    """The filter of system calls and Landlock, which must hold; namespaces and another user, which are an addition.

    They are looked up in a helper, and tried in a child of it.
    """
    demand(strict=False, uid=settings.sandbox_uid)
    try:
        held = PROBE.held()
        answer, _ = PROBE.call(b"", {})
        PROBE.close()
    except DocprocError as error:
        return [Check("sandbox", False, str(error), "see what docproc writes to standard error")]
    lacking = "; ".join(held.problems)
    reached = ", ".join(answer["reached"])
    told = f"a parser reached {reached}" if reached else "a parser reached no file, process, signal or folder of others"
    as_root = held.uid == 0
    return [
        Check("sandbox: filter", held.filter, "seccomp" if held.filter else "none", "" if held.filter else lacking),
        Check(
            "sandbox: Landlock",
            held.landlock > 0,
            f"ABI {held.landlock}" if held.landlock else "none",
            "" if held.landlock else lacking,
        ),
        Check(
            "sandbox: namespaces",
            bool(held.namespaces),
            ", ".join(held.namespaces) or "none",
            "" if held.namespaces else _NO_NAMESPACES,
            needed=False,
        ),
        Check("sandbox: user", not as_root, f"{held.uid}", (lacking or _NO_USER) if as_root else "", needed=False),
        Check("sandbox", not reached, told, lacking if reached else "", needed=is_strict(settings)),
    ]
