# Goes before compose/roll, which works in the project's directory. As a rule the inner nginx asks whatever answers to the name of a
# service, which are all of its containers while there are two. "move SERVICE CONTAINER" leads it to one of them, so that the other
# gets nothing new and can stop; move_back puts the rule in force again.
upstreams=nginx/upstreams.conf kept=nginx/.upstreams.conf.kept

# The workers of nginx, whose process is $1, that take new connections.
workers() {
    # shellcheck disable=SC2013 # they are words
    for pid in $(cat "/proc/$1/task/$1/children"); do
        case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
        *'shutting down'*) ;;
        'nginx: worker process'*) printf '%s ' "$pid" ;;
        esac
    done
}
# Has nginx read its configuration, and waits until only workers that have read it take new connections.
read_anew() {
    docker exec "$1" nginx -t -q -c /etc/nginx/mstdn/nginx.conf || return
    master=$(docker inspect --format '{{.State.Pid}}' "$1")
    before=$(workers "$master") tries=100
    docker kill --signal HUP "$1" >/dev/null || return
    while [ "$tries" -gt 0 ]; do
        now=$(workers "$master") same=''
        for pid in $before; do
            case " $now" in *" $pid "*) same=yes ;; esac
        done
        [ -z "$now" ] || [ -n "$same" ] || break
        tries=$((tries - 1))
        sleep 0.1
    done
    # What its old workers have accepted already, they read within a moment.
    sleep 0.5
}
move() {
    nginx=$(docker compose ps --quiet nginx)
    [ -n "$nginx" ] && [ -f "$upstreams" ] || return 0
    [ -e "$kept" ] || { cp -p "$upstreams" "$kept.new" && mv -fT "$kept.new" "$kept"; }
    sed "s/^\(set \$$1 \)[^.]*/\1$2/" "$upstreams" >"$upstreams.new"
    chmod --reference="$kept" "$upstreams.new"
    chown --reference="$kept" "$upstreams.new"
    mv -fT "$upstreams.new" "$upstreams"
    read_anew "$nginx"
}
move_back() {
    [ -e "$kept" ] || return 0
    # With its time as well: nothing was changed.
    mv -fT "$kept" "$upstreams"
    nginx=$(docker compose ps --quiet nginx)
    [ -z "$nginx" ] || read_anew "$nginx"
}
