"""Queries on changes of matters."""
