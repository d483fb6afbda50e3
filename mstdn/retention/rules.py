"""Which settings of content retention are chosen. Pure."""

from __future__ import annotations


def wanted_periods(media_days: int, content_days: int) -> tuple[str, ...]:
    """Mastodon's own settings (app/models/content_retention_policy.rb) with their days; those of 0 are left to it."""
    days = {"media_cache_retention_period": media_days, "content_cache_retention_period": content_days}
    return tuple(f"{name}={number}" for name, number in days.items() if number)
