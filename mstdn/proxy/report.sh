# What helps to explain a failed visit: the ports that containers publish, and the last words of acme-companion.
# $1: "ask" has acme-companion try at once what it would try again within the hour.
docker ps --quiet | while read -r id; do
    docker inspect --format '{{range $port, $bindings := .NetworkSettings.Ports}}{{range $bindings}}published {{.HostIp}} {{.HostPort}} {{index $.Config.Labels "com.docker.compose.project"}}/{{index $.Config.Labels "com.docker.compose.service"}}
{{end}}{{end}}' "$id"
done | grep -v '^$' | sort -u
companion=$(docker ps --all --quiet --filter label=com.docker.compose.project=proxy --filter label=com.docker.compose.service=acme-companion)
[ -n "$companion" ] || exit 0
# Asked while it is at work, it would start a second round beside the first, and the authority counts both failures.
if [ "$1" = ask ] && ! docker top "$companion" -eo args 2>/dev/null | grep -q 'acme\.sh'; then
    docker exec "$companion" /app/signal_le_service >/dev/null 2>&1
fi
# Most of its log is written by docker-gen, which watches for it, or is about certificates that are well.
docker logs --tail 400 "$companion" 2>&1 |
    grep -vE 'Received event|Debounce|did not change|Generated|Running|Watching|Sleep for|^$' |
    grep -vE 'Domains not changed|Skipping\. Next|Add .--force|check log file|^-----|^[A-Za-z0-9+/=]{40,}$' |
    tail -n 8 | sed 's/^/companion /'
exit 0
