"""From the bytes of an upload to page images, within limits."""
