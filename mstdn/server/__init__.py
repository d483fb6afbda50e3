"""The server at a provider, and its static address."""
