"""The development PKI: good for demonstration and tests only."""
