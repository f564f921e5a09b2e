"""A service on a fresh database, as for the tests of the flow."""

from __future__ import annotations

from tests.flow.conftest import ctx, settings

__all__ = ["ctx", "settings"]
