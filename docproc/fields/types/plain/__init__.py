"""Text, numbers and dates that say nothing of their own accord."""
