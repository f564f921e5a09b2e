"""From readings to findings and a verdict, and from an approved application to the draft of its licence."""
