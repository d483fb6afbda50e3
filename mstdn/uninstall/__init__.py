"""Uninstalling: everything of the suite goes from a server; Docker, the backups and what belongs to others stay."""
