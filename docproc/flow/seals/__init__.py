"""The seal registry, the sealer and the trust list."""
