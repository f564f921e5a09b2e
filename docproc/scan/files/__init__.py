"""Decode an uploaded file into page images, within limits."""
