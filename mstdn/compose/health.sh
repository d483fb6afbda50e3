# shellcheck disable=SC2154 # the scripts that follow make $project
# Goes before scripts that start containers.
# The containers of the services that are the arguments, of the project $project, the oldest first. Not those of "docker compose run":
# "docker compose ps --all" would list them as well.
containers_of() {
    docker ps --all --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False \
        --format '{{.ID}} {{.Label "com.docker.compose.service"}}' | tac | while read -r id service; do
        case " $* " in *" $service "*) printf '%s\n' "$id" ;; esac
    done
}
# "STATUS HEALTH RESTARTS" of the container $1.
state_of() {
    docker inspect --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}} {{.RestartCount}}' "$1"
}
# Waits until the container $1 is healthy, for $2 seconds at most. It fails where that takes too long, and where its program ends
# again and again. That it ends once is no failure, for Docker starts it again; until then Docker calls it unhealthy.
becomes_healthy() {
    end=$(($(date +%s) + $2)) restarts=$(state_of "$1")
    restarts=${restarts##* }
    while :; do
        state=$(state_of "$1")
        case $state in
        'running healthy '*) return 0 ;;
        'restarting '*) ;;
        'exited '* | 'dead '* | *' unhealthy '*) return 1 ;;
        esac
        [ $((${state##* } - restarts)) -lt 5 ] && [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.5
    done
}
# Which of the containers that are the arguments do not run well is shown, with their last log lines; it fails when there is one.
unwell() {
    ill=$(
        docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.Id}}' "$@" |
            grep -v '^[^ ]* running healthy ' || true
    )
    [ -n "$ill" ] || return 0
    printf '%s\n' "$ill" | while read -r service status health code killed id; do
        printf '\n%s is %s (%s), exit code %s' "$service" "$status" "$health" "$code" >&2
        [ "$killed" = false ] || printf ', killed because it needed more memory than it may have' >&2
        printf '. Its last log lines:\n' >&2
        docker logs --tail 25 "$id" >&2 2>&1 || true
        docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}{{.Output}}{{end}}{{end}}' "$id" | tail -n 3 | sed 's/^/health check: /' >&2
    done
    return 1
}
