"""The importable code of the suite. Tasks and templates use it; it never runs an operation on import."""

# pyproject.toml takes it from here. A tag v<version> names the same commit: CONTRIBUTING.md, "A release".
__version__ = "0.2.0"
