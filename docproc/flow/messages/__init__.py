"""Short messages and webhooks."""
