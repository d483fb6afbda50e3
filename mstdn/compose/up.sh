# Brings the services that the rest of the arguments names, of the project $1 in $2, up as its files say; each has to become
# healthy within $3 seconds. After compose/unwell.
set -eu
project=$1 directory=$2 patience=$3
shift 3
cd "$directory"
docker compose config --quiet
ended=0
docker compose up --detach --no-build --remove-orphans --wait --wait-timeout "$patience" "$@" >.up.log 2>&1 || ended=$?
[ "$ended" = 0 ] || tail -n 1 .up.log >&2
# Services of the operator's own file are started as well, but a fault of theirs is not one of the instance. Not what they depend on:
# Mastodon may have to stay down until its data are there.
for override in compose.override.y*ml docker-compose.override.y*ml; do
    [ -f "$override" ] || continue
    theirs=$({ docker compose --file compose.yaml config --services && docker compose config --services; } | sort | uniq -u)
    # shellcheck disable=SC2086 # one word for each service
    [ -z "$theirs" ] || docker compose up --detach --no-build --no-deps $theirs >.up.log 2>&1 ||
        echo "A service of $directory/$override could not be started: $(tail -n 1 .up.log)" >&2
done
rm -f .up.log
# Its containers decide, whatever Compose says: when the time is over between two of its looks, it ends with 0 (2.26 does).
# Not those of "docker compose run": "docker compose ps --all" would list them as well.
containers() {
    docker ps --all --quiet --filter "label=com.docker.compose.project=$project" \
        --filter label=com.docker.compose.oneoff=False "$@"
}
containers=$(
    for service; do containers --filter "label=com.docker.compose.service=$service"; done
)
[ -n "$containers" ] || exit 1
# shellcheck disable=SC2086 # one word for each container
unwell $containers && exit "$ended"
exit 1
