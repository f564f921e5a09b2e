"""Retention, health, and filling a database for measurements."""
