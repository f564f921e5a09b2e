"""The seal registry and the trust list."""
