"""Changes of the catalogue of matters."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.store.tables.base import Base, ChangeState, ProposedChange


class CatalogueChangeRow(ProposedChange, Base):
    """Matter files and licence layouts that one person submits and another puts into force from a given day."""

    __tablename__ = "catalogue_changes"

    files: Mapped[dict[str, str]]
    """Text by name: ``MATTER.toml`` or ``layouts/LAYOUT.toml``."""
    bases: Mapped[dict[str, str]]
    """SHA-256 of the file that each one replaces, by name; empty where it is new."""
    starts_on: Mapped[date]
    """First day in force, in China."""
    state: Mapped[ChangeState] = mapped_column(sa.String(10), index=True)
