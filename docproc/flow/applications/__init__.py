"""Applications: submitted, read, checked, followed."""
