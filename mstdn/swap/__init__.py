"""The swap file."""
