"""Seal keys: in files, on PKCS#11 tokens, of SM2; and signing with them."""
