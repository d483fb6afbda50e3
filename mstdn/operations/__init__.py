"""What we do to a server that pyinfra cannot. Each operation reads one fact and does nothing when the server agrees."""
