"""Applications and their files."""
