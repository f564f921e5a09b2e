"""Compare the paper originals, submitted later, with the scans."""
