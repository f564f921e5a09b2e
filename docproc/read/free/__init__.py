"""Read a page that is not a form of ours."""
