"""From the lattice of a line to a value of a field type."""
