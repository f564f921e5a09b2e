"""Files by their content, on disk or on an S3 server."""
