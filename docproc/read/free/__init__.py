"""Read a page that we did not print."""
