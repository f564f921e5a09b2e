"""The catalogue of matters: its model, its files, its checks."""
