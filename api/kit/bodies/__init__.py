"""Bodies of requests: what a route takes, who sends it, and where the bytes lie until they are used."""
