"""How the kiosks are."""
