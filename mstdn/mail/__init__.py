"""The mail server that takes Mastodon's mail."""
