"""From uploaded bytes to rectified page images of assessed quality."""
