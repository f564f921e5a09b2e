"""Paper at the counter: received, compared, handed over."""
