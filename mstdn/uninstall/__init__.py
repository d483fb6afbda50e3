"""The way off a server: everything of the suite goes, Docker and the backups stay, and what is of others is left."""
