# Lets the paused containers that are the arguments go on. For Docker a paused container is unhealthy, and stays so until its
# next health check, for which Compose would not wait: it takes a minute at most. What is not well by then is restarted.
set -eu
docker unpause "$@" >/dev/null
end=$(($(date +%s) + 75))
for id; do
    while [ "$(docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$id")" = unhealthy ]; do
        if [ "$(date +%s)" -ge "$end" ]; then
            docker restart "$id" >/dev/null
            break
        fi
        sleep 0.5
    done
done
