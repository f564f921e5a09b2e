"""Compare paper that was handed in later with the scans."""
