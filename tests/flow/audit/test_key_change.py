"""A key that is replaced leaves what it signed good, and the log tells of it."""

from __future__ import annotations

import pytest

from docproc.flow.audit.key_change import rotate
from docproc.flow.core.context import Context, open_context
from docproc.process_keys import KeyRole
from docproc.store.audit import audit, chain
from tests.flow.core.test_chain_guard import AT, add


@pytest.mark.parametrize("role", ["web", "sealer", "reader"])
def test_what_the_old_key_signed_stays_good_and_the_new_one_goes_on(ctx: Context, role: KeyRole) -> None:
    add(ctx, "li", "did", "a")
    old, new = rotate(ctx.settings, role)
    assert old != new and old.startswith(role) and new.startswith(role)
    add(ctx, "li", "did", "by the process that still runs")
    again = open_context(ctx.settings, role=role)
    assert again.keys.own is not None and again.keys.own.id == new
    with again.database.write() as session:
        audit.append(session, AT, "system", "application.erased", "A-1", pages=[])
    with again.database.read() as session:
        assert chain.walk(session, again.keys.known).ok
        line = audit.of_action(session, "process_key.rotated")[0]
    assert (line.subject, line.detail) == (role, {"old": old, "new": new}) and line.signature.startswith(old)
    again.close()
