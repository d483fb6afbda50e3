# Makes the containers of some services of the project in $1 anew, and no others; the rest of the arguments are the services.
set -eu
cd "$1"
shift
docker compose up --detach --no-build --no-deps --force-recreate "$@" >.up.log 2>&1 || {
    tail -n 3 .up.log >&2
    rm -f .up.log
    exit 1
}
rm -f .up.log
