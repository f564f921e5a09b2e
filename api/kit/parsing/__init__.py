"""Opening what strangers send, in the web process: in turn among callers, and paid from each one's own allowance."""
