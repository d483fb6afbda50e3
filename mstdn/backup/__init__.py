"""Backups: an encrypted repository of snapshots, made by night and by hand, and pruned."""
