"""Queries on holders and shares of licences."""
