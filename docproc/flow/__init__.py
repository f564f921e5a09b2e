"""The durable workflows and units of work behind the commands and the web service."""
