"""The verification report: what it says, and as PDF and XML."""
