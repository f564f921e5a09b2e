"""Queries on issued licences."""
