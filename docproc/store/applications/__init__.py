"""Queries on applications, their pages, previews, uploads, opinions and notices."""
