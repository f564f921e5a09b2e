"""Upgrade or downgrade the schema; the Alembic migrations are in ``migrations/versions``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from docproc.store.db import Database

if TYPE_CHECKING:  # slow to load, and only the process that migrates needs it
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
_LOCK = 7_305_120_262
"""PostgreSQL advisory lock under which one process migrates while others wait."""


def migrate(database: Database, to: str = "head") -> None:
    """Upgrade the schema to a revision; several processes may call it at once."""
    _run(database, to, up=True)


def downgrade(database: Database, to: str) -> None:
    """Downgrade the schema to a revision; ``base`` removes all tables."""
    _run(database, to, up=False)


def is_current(database: Database) -> bool:
    """Whether the schema is at the newest revision of this code."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(_config()).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def _run(database: Database, to: str, *, up: bool) -> None:
    from alembic import command

    config = _config()
    with database.write() as session:
        connection = session.connection()
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = connection
        (command.upgrade if up else command.downgrade)(config, to)
