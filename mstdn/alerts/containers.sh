# Every container of a Compose project, as "container PROJECT SERVICE ONE-OFF STATE HEALTH". After docker/light.sh.
# shellcheck disable=SC2154 # list_containers makes it
list_containers
printf '%s\n' "$with_health" | awk -F '|' 'NF == 6 { print "container", $3, $4, $5, $2, $6 }'
exit 0
