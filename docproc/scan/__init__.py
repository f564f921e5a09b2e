"""From uploaded bytes to straightened, judged page images."""
