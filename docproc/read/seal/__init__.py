"""Read the name on a seal that was pressed on paper."""
