"""
The server, by name or address. How it is set up is in group_data/all.py, not here.

Anything of SSH that differs from your ~/.ssh/config may stand beside it: ("203.0.113.7", {"ssh_port": 2222}).
"""

mastodon = [
    # An ordinary user who may use sudo without a password; "root" works too.
    ("your-server.example.org", {"ssh_user": "admin"}),
]
