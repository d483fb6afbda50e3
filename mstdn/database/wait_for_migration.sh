# Waits for a migration that a run whose connection broke left at work in the project $1, then removes its container: two
# migrations stand in each other's way, and none must lose its database in the middle.
set -eu
left=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$1" \
    --filter label=com.docker.compose.service=migrate --filter label=com.docker.compose.oneoff=True)
[ -n "$left" ] || exit 0
# shellcheck disable=SC2086 # one word for each container
if ! timeout 3600 docker wait $left >/dev/null; then
    echo "A migration of an earlier run is at work for more than an hour. Look at it with: docker logs $left" >&2
    exit 1
fi
# shellcheck disable=SC2086
docker rm --force $left >/dev/null 2>&1 || true
