"""The importable code of the suite. Tasks and templates use it; it never runs an operation on import."""
