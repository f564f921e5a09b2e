"""What belongs to somebody: vehicles, cards and accounts."""
