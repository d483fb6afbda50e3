"""The site as a visitor sees it."""
