"""Queries on kiosks."""
