"""The kinds of value that a setting can have. The ground floor: it imports nothing of the components."""
