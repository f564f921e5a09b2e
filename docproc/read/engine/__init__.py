"""OCR engines: text detection and recognition behind one interface."""
