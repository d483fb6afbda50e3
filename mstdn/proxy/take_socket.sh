# Restarts the service $2 of the project $1 where Docker's socket, which it mounts, is no longer the one on the server: an upgrade
# of Docker's package makes it anew, and a mount holds the old one for ever. After docker/container.
set -eu
id=$(container_of "$1" "$2")
[ -n "$id" ] || exit 0
pid=$(docker inspect --format '{{.State.Pid}}' "$id")
# The kernel's words for a mount whose source was removed.
grep -qs '/docker.sock//deleted ' "/proc/$pid/mountinfo" || exit 0
docker restart "$id" >/dev/null
echo "$2 has Docker's new socket."
