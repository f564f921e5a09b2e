"""Printable forms: where every field stands on the page, and the page itself."""
