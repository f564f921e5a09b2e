"""Decode the lattice of a line to the value of a field type."""
