# The project $1: the revision in each of the stamps $2 (applied) and $3 (loaded), as long as no file it stands for is gone
# or newer: the files after $3 up to "--" belong to the first stamp, the rest to the second. Then for each container
# "service name status health same-image" where same-image is whether it runs what its reference stands for now.
project=$1 applied=$2 loaded=$3
shift 3
stamp=$applied
fresh=yes
for file in "$@" --; do
    if [ "$file" = -- ]; then
        [ "$fresh" = yes ] && printf 'stamp %s\n' "$(cat "$stamp" 2>/dev/null)" || echo 'stamp '
        stamp=$loaded fresh=yes
    elif [ ! -e "$file" ] || [ "$file" -nt "$stamp" ]; then
        fresh=no
    fi
done
[ -S /run/docker.sock ] || exit 0
containers=$(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project" \
    --filter label=com.docker.compose.oneoff=False)
[ -n "$containers" ] || exit 0
# shellcheck disable=SC2086 # one word for each container
states=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.Image}} {{.Config.Image}}' $containers)
# An image that is gone leaves its reference out of the list, and its containers are then not as they should be.
# shellcheck disable=SC2046 # one word for each reference
present=$(docker image inspect --format '{{.Id}}' -- $(printf '%s\n' "$states" | cut -d ' ' -f 5 | sort -u) 2>/dev/null)
printf '%s\n' "$states" | while read -r service status health image _; do
    case $present in *"$image"*) same=yes ;; *) same=no ;; esac
    printf 'service %s %s %s %s\n' "$service" "$status" "$health" "$same"
done
exit 0
