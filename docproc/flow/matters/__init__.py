"""Changes to the matters in force."""
