# Goes before compose/roll where that is a unit of the server. systemd runs it once more when that has ended (SERVICE_RESULT): what one
# that was killed has left is put in order then. After a script that defines move_back.
if [ -n "${SERVICE_RESULT-}" ]; then
    [ "$SERVICE_RESULT" != success ] && cd "$2" || exit 0
    project=$1
    rm -f .roll.log
    move_back || true
    # Of a service that must not be there twice the old one may have stopped already. Then it works on.
    of() {
        docker ps --quiet --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False \
            --filter "label=com.docker.compose.service=$service" "$@"
    }
    for word; do
        [ "$word" != -- ] || break
        service=${word%=after}
        [ "$service" != "$word" ] && [ -z "$(of)" ] || continue
        stopped=$(of --all --filter status=exited | head -n 1)
        [ -z "$stopped" ] || docker start "$stopped" >/dev/null || true
    done
    exit 0
fi
