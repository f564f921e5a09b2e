"""The HTTP interface under ``/v1``, a module a noun."""
