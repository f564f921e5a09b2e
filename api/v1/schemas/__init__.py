"""Bodies of requests and answers, a module a noun; names and meanings are those of :mod:`docproc.domain`."""
