# Waits for what a run whose connection broke left at work in one-off containers of the project $1, then removes these:
# two migrations stand in each other's way, and none must lose its database in the middle.
set -eu
left=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$1" --filter label=com.docker.compose.oneoff=True)
[ -n "$left" ] || exit 0
# shellcheck disable=SC2086 # one word for each container
timeout 3600 docker wait $left >/dev/null
# shellcheck disable=SC2086
docker rm --force $left >/dev/null 2>&1 || true
