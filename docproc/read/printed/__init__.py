"""Compare a printed licence with the licence that was issued."""
