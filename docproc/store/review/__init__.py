"""Queries on the work of reviewers."""
