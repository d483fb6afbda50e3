# Makes the bridge network $1 anew. $2: internal (yes or no). $3: IPv6 (yes or no).
set -eu
name=$1 internal=$2 ipv6=$3
if docker network inspect "$name" >/dev/null 2>&1; then
    docker network rm "$name" >/dev/null
fi
set -- --driver bridge
[ "$internal" = no ] || set -- "$@" --internal
[ "$ipv6" = no ] || set -- "$@" --ipv6
docker network create "$@" "$name" >/dev/null
