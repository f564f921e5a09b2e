"""Pages for enterprises."""
