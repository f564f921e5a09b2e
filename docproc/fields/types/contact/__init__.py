"""Where to find somebody."""
