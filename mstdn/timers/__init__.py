"""What runs on a server by itself: programs, units and timers of systemd, and the way to watch one that is at work."""
