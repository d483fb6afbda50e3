"""
Your own values: these, and whatever else of all.py you want otherwise. An update does not touch this file.

    cp group_data/mastodon.example.py group_data/mastodon.py

It is read for the servers in the list mastodon of inventory.py. docs/settings.md has every setting. Passwords and keys
do not belong here: see secrets.example.env.
"""

# The name after the @ of every account, for ever: it can never change once people have posted.
local_domain = ""  # "social.example.org"

# The mail server that takes Mastodon's mail (sign-up, password reset, log-in from a new place).
smtp_server = ""  # "smtp.example.org"

# The sender of Mastodon's mail.
smtp_from_address = ""  # "Mastodon <notifications@social.example.org>"
