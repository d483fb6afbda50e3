"""Debian's packages and the keys of foreign repositories."""
