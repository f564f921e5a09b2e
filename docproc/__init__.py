"""docproc: scans in, sealed and verifiable licences out."""

__version__ = "0.1.0"
