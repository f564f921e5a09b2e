"""Backup, restore, retention."""
