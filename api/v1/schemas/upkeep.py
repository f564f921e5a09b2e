"""Retention: rules, and what a sweep erased."""

from __future__ import annotations

from pydantic import BaseModel, Field


class RetentionView(BaseModel):
    """For how long a matter's content is kept, and how much is due to be erased."""

    matter: str
    draft_days: int
    refused_days: int
    finished_days: int
    original_days: int
    basis: str
    due: dict[str, int]


class SweptView(BaseModel):
    """What a sweep erased."""

    applications: int
    files: int
    waiting: int = Field(description="Files that are still to be deleted")
