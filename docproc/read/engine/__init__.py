"""Reading engines: text detection and recognition behind one interface."""
