"""Printable forms: the layout of every field, and the PDF."""
