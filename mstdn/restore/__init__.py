"""The way back: an instance from a backup, onto its server or onto a bare one."""
