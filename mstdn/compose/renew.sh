# Makes the containers of some services of the project in $1 anew, and no others; the rest of the arguments are the services.
# Not by "up --no-deps --force-recreate": a container that is made with --no-deps has another checksum (docker/compose#10907), so
# the next "up" would make it anew again, and everything that depends on it too.
set -eu
cd "$1"
shift
{
    docker compose rm --stop --force "$@" && docker compose up --detach --no-build --no-recreate "$@"
} >.up.log 2>&1 || {
    tail -n 3 .up.log >&2
    rm -f .up.log
    exit 1
}
rm -f .up.log
