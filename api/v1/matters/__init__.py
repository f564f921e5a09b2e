"""The catalogue of matters, and changes to it."""
