"""What is kept: the database and the blobs."""
