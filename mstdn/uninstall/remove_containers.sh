# Removes the containers that are the arguments, with the volumes that have no name. One that is gone already is no fault.
set -eu
for container in "$@"; do
    said=$(docker rm --force --volumes "$container" 2>&1) || case $said in
    *'No such container'* | *'is already in progress'*) ;;
    *)
        printf '%s\n' "$said" >&2
        exit 1
        ;;
    esac
done
