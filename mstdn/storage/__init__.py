"""Where the instance lies: directories, links and mounts, and a note that outlives all of them."""
