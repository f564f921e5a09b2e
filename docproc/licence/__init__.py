"""Rendering, sealing, verifying and renewing licences (PAdES, EN 319 142 and EN 319 102-1)."""
