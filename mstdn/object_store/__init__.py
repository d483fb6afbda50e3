"""Media in an object store instead of on the server."""
