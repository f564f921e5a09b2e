"""Read a page of a form printed by this service."""
