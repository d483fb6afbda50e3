# Takes the names that are the arguments away from their images; what containers run stays.
set -eu
docker image rm --force "$@" >/dev/null
