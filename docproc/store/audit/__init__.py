"""The audit log and the inventory of what must be there."""
