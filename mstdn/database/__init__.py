"""The instance's database and its migrations."""
