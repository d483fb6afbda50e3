"""The networks that both Compose projects share."""
