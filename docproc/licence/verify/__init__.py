"""Verify a sealed file and report the result."""
