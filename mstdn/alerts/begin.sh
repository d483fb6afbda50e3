# Goes before lock.sh: the watcher looks whether somebody works on the server, and holds nobody up.
# shellcheck disable=SC2034 # lock.sh reads it
only_ask=yes
