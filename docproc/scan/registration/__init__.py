"""Find where a known page lies in a picture, straighten it, judge its quality."""
