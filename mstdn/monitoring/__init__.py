"""Exporters for the operator's own Prometheus: Mastodon's, the server's and PostgreSQL's."""
