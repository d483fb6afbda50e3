"""Security fixes of the system, installed by the system itself."""
