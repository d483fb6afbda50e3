# Takes away what a move that was cut off has left: the container $1, directories, and the note, which is the last argument.
set -eu
docker rm --force --volumes "$1" >/dev/null 2>&1 || true
shift
rm -rf -- "$@"
