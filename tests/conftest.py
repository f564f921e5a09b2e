"""Fixtures for all tests."""

from __future__ import annotations

from tests.servers.fixtures import minio, postgres_url, versitygw

__all__ = ["minio", "postgres_url", "versitygw"]
