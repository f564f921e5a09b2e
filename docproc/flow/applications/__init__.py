"""Applications: handed in, read, checked, followed."""
