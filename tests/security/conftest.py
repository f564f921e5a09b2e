"""A service on a fresh database, as for the tests of the flow, and a running one with its people."""

from __future__ import annotations

from tests.api.conftest import people, server
from tests.api.pages.conftest import browser
from tests.flow.conftest import ctx, office, settings

__all__ = ["browser", "ctx", "office", "people", "server", "settings"]
