"""Compare a printed licence with the issued licence."""
