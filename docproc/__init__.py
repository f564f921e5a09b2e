"""docproc: scans in, sealed and verifiable licences out."""

from __future__ import annotations

__version__ = "0.1.0"
