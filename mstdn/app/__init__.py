"""Mastodon itself: web, streaming, Sidekiq, their stores and the inner nginx."""
