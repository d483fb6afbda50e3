"""The chores that Mastodon does not do by itself: old profile pictures of others, preview cards, orphaned files."""
