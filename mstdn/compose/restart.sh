# Restarts the containers that are the arguments: each gets its own time to stop, and mounts its files anew.
set -eu
# A process that somebody stopped (SIGSTOP) does not even take the signal to end.
docker kill --signal CONT "$@" >/dev/null 2>&1 || true
docker restart "$@" >/dev/null
