"""What stands before every route: whose request it is, by which way it came, and what its answer carries."""
