"""Firewalls that were on the server before: they stay somebody else's, and are only looked through."""
