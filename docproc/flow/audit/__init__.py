"""Proof that nothing is missing or changed."""
