"""
The packet filter: a firewall of the suite's own, and those that were on the server before.

    table.py      what the suite's table holds
    own.py        whether it may be there, and what it would close
    rules.py      what others' rules would keep from Mastodon (packets.py, nftables.py, iptables.py read them)
"""
