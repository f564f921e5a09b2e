"""Read a page of a form that we printed."""
