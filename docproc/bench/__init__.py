"""Measuring accuracy and speed: ``docproc bench``."""
