"""The domain from which Mastodon's mail is sent: registered, published, verified."""
