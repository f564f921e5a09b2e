"""The durable engine: queues, leases, meters."""
