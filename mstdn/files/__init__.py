"""Files and directories of a server, compared as one tree and written atomically. Other components use it."""
