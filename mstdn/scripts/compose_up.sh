# Brings the project $1 in $2 up as its files say, waits $3 seconds for health, then notes the revision $5 in $4.
set -eu
project=$1 directory=$2 patience=$3 stamp=$4 revision=$5
cd "$directory"
docker compose config --quiet
if docker compose up --detach --no-build --remove-orphans --wait --wait-timeout "$patience" >.up.log 2>&1; then
    rm -f .up.log
    printf '%s\n' "$revision" >"$stamp.new"
    mv -fT "$stamp.new" "$stamp"
    exit 0
fi
tail -n 1 .up.log >&2
rm -f .up.log
containers=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$project" \
    --filter label=com.docker.compose.oneoff=False)
[ -n "$containers" ] || exit 1
# shellcheck disable=SC2086 # one word for each container
docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.Id}}' $containers |
    while read -r service status health code killed id; do
        [ "$status $health" != 'running healthy' ] || continue
        printf '\n%s is %s (%s), exit code %s' "$service" "$status" "$health" "$code" >&2
        [ "$killed" = false ] || printf ', killed because it needed more memory than it may have' >&2
        printf '. Its last log lines:\n' >&2
        docker logs --tail 25 "$id" >&2 2>&1 || true
        docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}{{.Output}}{{end}}{{end}}' "$id" | tail -n 3 | sed 's/^/health check: /' >&2
    done
exit 1
