"""What is not written: boxes to tick, marks, drawings and tables."""
