# Removes the networks that are the arguments. One that somebody has joined in the meantime stays, and is named.
set -eu
for network in "$@"; do
    if ! said=$(docker network rm "$network" 2>&1) && docker network inspect "$network" >/dev/null 2>&1; then
        printf 'The network %s stays: %s\n' "$network" "$said" >&2
    fi
done
