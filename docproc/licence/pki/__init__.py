"""Keys, certificates, trust, revocation, time-stamps."""
