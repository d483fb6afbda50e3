# Makes the bridge network $1 anew. $2: internal (yes or no). $3: IPv6 (yes, no, or auto: where engine and server have it).
set -eu
name=$1 internal=$2 ipv6=$3
if [ "$ipv6" = auto ]; then
    ipv6=no
    major=$(docker version --format '{{.Server.Version}}' | cut -d. -f1)
    # An engine before 27 has no address pool of its own for IPv6 and does not masquerade it.
    # Column 4 of if_inet6 is the scope: 00 is global.
    if [ "$major" -ge 27 ] && awk '$4 == "00" { found = 1 } END { exit !found }' /proc/net/if_inet6 2>/dev/null; then
        ipv6=yes
    fi
fi
if docker network inspect "$name" >/dev/null 2>&1; then
    docker network rm "$name" >/dev/null
fi
set -- --driver bridge
[ "$internal" = no ] || set -- "$@" --internal
[ "$ipv6" = no ] || set -- "$@" --ipv6
docker network create "$@" "$name" >/dev/null
