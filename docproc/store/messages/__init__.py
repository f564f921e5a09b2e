"""Queries on events, webhooks and short messages."""
