"""Locate a known page in an image, rectify it and assess its quality."""
