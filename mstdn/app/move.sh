# Goes before compose/roll, which works in the project's directory. As a rule the inner nginx asks whatever answers to the name of a
# service, which are all of its containers while there are two. "move SERVICE CONTAINER" leads it to one of them, so that the other
# gets nothing new and can stop; move_back puts the rule in force again. Whom the proxy asks when nginx itself is replaced, docker-gen
# writes; see below.
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
# Has the nginx in container $1 read its configuration $2, and waits until only workers that have read it take new connections.
read_anew() {
    docker exec "$1" nginx -t -q -c "$2" || return
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
# Every inner nginx: while one takes over from another, there are two.
inner_ones_read_anew() {
    for nginx in $(docker compose ps --quiet nginx); do
        read_anew "$nginx" /etc/nginx/mstdn/nginx.conf || return
    done
}
lead_the_inner_nginx_to() {
    [ -f "$upstreams" ] && [ -n "$(docker compose ps --quiet nginx)" ] || return 0
    [ -e "$kept" ] || { cp -p "$upstreams" "$kept.new" && mv -fT "$kept.new" "$kept"; }
    sed "s/^\(set \$$1 \)[^.]*/\1$2/" "$upstreams" >"$upstreams.new"
    chmod --reference="$kept" "$upstreams.new"
    chown --reference="$kept" "$upstreams.new"
    mv -fT "$upstreams.new" "$upstreams"
    inner_ones_read_anew
}
# Has the proxy ask this inner nginx and no other. docker-gen writes both into its list, and takes one out when it has gone; but the
# address of a container that is gone answers nothing at all, and whoever is sent there waits for seconds.
lead_the_proxy_to() {
    proxy=$(docker ps --quiet --filter label=com.docker.compose.project=proxy \
        --filter label=com.docker.compose.oneoff=False --filter label=com.docker.compose.service=nginx)
    [ -n "$proxy" ] || return 0
    list=$(docker inspect --format '{{range .Mounts}}{{if eq .Destination "/etc/nginx/conf.d"}}{{.Source}}{{end}}{{end}}' "$proxy")/default.conf
    chosen=$(address_of "$1") tries=100
    # One that somebody has taken off the network is asked by nobody, and nobody has to stay with it.
    [ -n "$chosen" ] || return 0
    until is_asked "$chosen"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || {
            echo "docker-gen has not told the proxy of the new nginx within 10 s, so the one before serves on. Run again: a docker-gen that hears nothing is started anew." >&2
            return 1
        }
        sleep 0.1
    done
    # docker-gen hears that the new one is healthy at the same time, and writes all of them once more.
    rounds=5
    while [ "$rounds" -gt 0 ]; do
        rounds=$((rounds - 1)) written=$(cat "$list") others=''
        for each in $(docker compose ps --quiet nginx); do
            address=$(address_of "$each")
            if [ -n "$address" ] && [ "$address" != "$chosen" ] && is_asked "$address"; then
                # In place, as docker-gen writes it. Not taken out: a name that only the old one answers for may have no other.
                others=$(sed "s/\(server $(pattern_of "$address"):[0-9]*\);/\1 down;/" "$list")
                printf '%s\n' "$others" >"$list"
            fi
        done
        [ -n "$others" ] || break
        read_anew "$proxy" /etc/nginx/nginx.conf || {
            printf '%s\n' "$written" >"$list"
            return 1
        }
        sleep 1
    done
}
address_of() { docker inspect --format '{{with index .NetworkSettings.Networks "front"}}{{.IPAddress}}{{end}}' "$1"; }
pattern_of() { printf '%s' "$1" | sed 's/[.]/[.]/g'; }
is_asked() { grep -q "server $(pattern_of "$1"):[0-9]*;" "$list"; }
move() {
    case $1 in
    nginx) lead_the_proxy_to "$2" ;;
    *) lead_the_inner_nginx_to "$1" "$2" ;;
    esac
}
move_back() {
    [ -e "$kept" ] || return 0
    # With its time as well: nothing was changed.
    mv -fT "$kept" "$upstreams"
    inner_ones_read_anew
}
