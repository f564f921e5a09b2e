"""The durable way of an application through the service."""
