# What helps to explain a failed visit: the ports that containers publish, and the last words of acme-companion.
# $1: "ask" has acme-companion try at once what it would try again within the hour.
docker ps --quiet | while read -r id; do
    docker inspect --format '{{range $port, $bindings := .NetworkSettings.Ports}}{{range $bindings}}published {{.HostIp}} {{.HostPort}} {{index $.Config.Labels "com.docker.compose.project"}}/{{index $.Config.Labels "com.docker.compose.service"}}
{{end}}{{end}}' "$id"
done | grep -v '^$' | sort -u
companion=$(docker ps --all --quiet --filter label=com.docker.compose.project=proxy --filter label=com.docker.compose.service=acme-companion)
if [ -n "$companion" ]; then
    [ "$1" != ask ] || docker exec "$companion" /app/signal_le_service >/dev/null 2>&1
    # docker-gen, which watches for it, writes most of its log.
    docker logs --tail 200 "$companion" 2>&1 |
        grep -vE 'Received event|Debounce|did not change|Generated|Running|Watching|Sleep for|^$' | tail -n 8 | sed 's/^/companion /'
fi
exit 0
