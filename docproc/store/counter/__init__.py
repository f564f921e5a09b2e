"""Queries on paper at the counter."""
