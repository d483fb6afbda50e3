"""The drill: the newest backup is restored aside, every week, and proven to be what it should be."""
