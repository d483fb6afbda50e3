# The project $1: what was applied last ($2, $3), then for each of its containers
# "service name status health same-image" where same-image is whether it runs what its reference stands for now.
project=$1
for stamp in "$2" "$3"; do
    printf 'stamp %s\n' "$(cat "$stamp" 2>/dev/null)"
done
command -v docker >/dev/null && docker info >/dev/null 2>&1 || exit 0
containers=$(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project" \
    --filter label=com.docker.compose.oneoff=False)
[ -n "$containers" ] || exit 0
# shellcheck disable=SC2086 # one word for each container
docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.Image}} {{.Config.Image}}' $containers |
    while read -r service status health image reference; do
        current=$(docker image inspect --format '{{.Id}}' -- "$reference" 2>/dev/null)
        [ "$current" = "$image" ] && same=yes || same=no
        printf 'service %s %s %s %s\n' "$service" "$status" "$health" "$same"
    done
exit 0
