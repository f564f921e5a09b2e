"""The HTTP interface: thin routes over :mod:`docproc.flow`."""
