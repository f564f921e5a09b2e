"""Storage: the database and the blob store."""
