"""Compose projects: what runs, what should, and the way from one to the other. Other components use it."""
