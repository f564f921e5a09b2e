"""The audit log and the inventory of stored files."""
