# Waits for a migration that a run whose connection broke left at work in the project $1, then removes its container: two
# migrations stand in each other's way, and none must lose its database in the middle. Meanwhile it tells what that one does.
set -eu
left=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$1" \
    --filter label=com.docker.compose.service=migrate --filter label=com.docker.compose.oneoff=True)
[ -n "$left" ] || exit 0
# Whether the container $1 works. One that is gone does not; a question that fails is no answer, and nothing is removed then.
works() {
    found=$(docker ps --quiet --filter "id=$1") || {
        echo "Docker did not say whether a migration of an earlier run is still at work ($1), so it is left as it is. Run again." >&2
        exit 1
    }
    [ -n "$found" ]
}
for container in $left; do
    works "$container" || continue
    echo "A migration of an earlier run is still at work (docker logs $container): waiting for it."
    if ! timeout 3600 docker logs --follow "$container" 2>&1 | sed -u -n '/^== .*: migrat/{s/^== //;s/ *=*$//;p;}' ||
        works "$container"; then
        echo "A migration of an earlier run is at work for more than an hour. Look at it with: docker logs $container" >&2
        exit 1
    fi
done
# shellcheck disable=SC2086 # one word for each container
docker rm --force $left >/dev/null 2>&1 || true
