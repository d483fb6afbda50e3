# Goes before compose/roll: what one that was killed has left is put in order. After timers/ended and a script that defines move_back.
if has_ended "Nothing is lost." deploy.py; then
    [ "$SERVICE_RESULT" != success ] && cd "$2" || exit 0
    project=$1
    rm -f .roll.log
    of() {
        docker ps --quiet --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False \
            --filter "label=com.docker.compose.service=$service" "$@"
    }
    # Those that took over for one that is made anew.
    deputies=''
    for word; do
        service=${word%=*}
        case $word in
        --) break ;;
        *=beside)
            # Visitors are led to all of them in a moment, and this one may never answer.
            for each in $(of --filter health=starting --filter health=unhealthy); do
                [ -z "$(of --filter health=healthy)" ] || docker rm --force "$each" >/dev/null || true
            done
            ;;
        *=after | *=handover)
            [ "${word#*=}" = after ] || deputies="$deputies $project-$service-deputy"
            # The old one may have been told to stop, and still be at it: the engine does not leave off. Then it starts again.
            running=$(of --no-trunc)
            if [ -n "$running" ] && [ -s .roll.stopping ] && ! printf '%s\n' "$running" | grep -qvxFf .roll.stopping; then
                docker restart "$(printf '%s\n' "$running" | head -n 1)" >/dev/null || true
            fi
            # Or it has stopped already. Then it works on.
            stopped=''
            [ -n "$running" ] || stopped=$(of --all --filter status=exited | head -n 1)
            [ -z "$stopped" ] || docker update --restart always "$stopped" >/dev/null || true
            [ -z "$stopped" ] || docker start "$stopped" >/dev/null || true
            tries=50
            while [ "$word" = "$service=handover" ] && [ -z "$(of --filter health=healthy)" ] && [ "$tries" -gt 0 ]; do
                tries=$((tries - 1))
                sleep 0.2
            done
            ;;
        esac
    done
    rm -f .roll.stopping
    move_back || true
    # shellcheck disable=SC2086 # one word for each container
    [ -z "$deputies" ] || docker rm --force $deputies >/dev/null 2>&1 || true
    exit 0
fi
