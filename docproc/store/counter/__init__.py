"""Queries on paper documents at the counter."""
