# Restarts the containers that are the arguments: each gets its own time to stop, and mounts its files anew.
set -eu
docker restart "$@" >/dev/null
