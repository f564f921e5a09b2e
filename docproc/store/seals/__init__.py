"""Queries on the seal registry and the trust list."""
