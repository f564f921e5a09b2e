"""Content-addressed files, on disk or on an S3 server."""
