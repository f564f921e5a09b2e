"""Links to files for a short time."""
