"""Files that are fetched, not committed: OCR weights and fonts."""
