"""The checkout of Mastodon's source."""
