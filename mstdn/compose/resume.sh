# Lets the paused containers that are the arguments go on.
set -eu
docker unpause "$@" >/dev/null
