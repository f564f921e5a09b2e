"""Generated applications: filled forms, papers and the damage that scanners and cameras do, with their truth."""
