# Removes the images that are the arguments, names or IDs. One that somebody uses after all stays, and is named.
set -eu
for image in "$@"; do
    if ! said=$(docker image rm "$image" 2>&1) && docker image inspect "$image" >/dev/null 2>&1; then
        printf 'The image %s stays: %s\n' "$image" "$said" >&2
    fi
done
