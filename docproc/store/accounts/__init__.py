"""Queries on officials, API keys and seats."""
