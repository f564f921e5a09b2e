"""Licences: looked up, verified, renewed, archived, given new versions."""
