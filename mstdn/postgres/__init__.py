"""The database's way into a new data directory: to another major release of PostgreSQL, or under another Debian."""
