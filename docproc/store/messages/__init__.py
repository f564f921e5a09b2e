"""Queries on events, webhooks and text messages."""
