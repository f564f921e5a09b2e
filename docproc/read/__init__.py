"""From page images to field values, each with its confidence, box and source."""
