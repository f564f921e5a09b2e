"""Seal a rendered licence, renew its time-stamps, sign the status list."""
