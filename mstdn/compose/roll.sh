# Replaces containers of the project $1 in $2 where its files describe something else now. $3: how many seconds each may take to
# become healthy. The other arguments are SERVICE=WAY, and after "--" the IDs of containers that have to go in any case.
#   beside    the new one starts, and the old one stops once the new one is healthy and visitors have moved to it
#   after     the old one stops first; it goes on if the new one does not become healthy
#   handover  the same, while a third one without ports serves in their place, to which visitors have moved before
# Cut off anywhere, it leaves containers from which it finds its way the next time. After compose/health and a script that defines
# move and move_back.
set -eu
project=$1 directory=$2 patience=$3
shift 3
cd "$directory"
# A connection that breaks takes the words of this script with it, not its work.
trap '' PIPE
trap 'rm -f .roll.log; move_back' EXIT
# After a power cut.
rm -f .roll.stopping
say() { printf '%s\n' "$*" 2>/dev/null || true; }
ways='' retired=''
while [ $# -gt 0 ]; do
    case $1 in
    --) shift && retired=" $* " && break ;;
    *) ways="$ways $1" ;;
    esac
    shift
done

made_from() { docker inspect --format '{{index .Config.Labels "com.docker.compose.config-hash"}} {{.Image}}' "$1"; }
name_of() { docker inspect --format '{{.Name}}' "$1" | tr -d /; }
# Makes one more container of the service, which does not start yet: what Compose takes from the files now. Without --no-deps, which
# would give it another checksum than the others have (docker/compose#10907).
make_another() {
    docker compose up --no-start --no-recreate --no-build --scale "$1=$(($2 + 1))" "$1" >.roll.log 2>&1 || {
        tail -n 3 .roll.log >&2
        exit 1
    }
}
# The one among those that are there that is as the files say, a healthy one before others; nothing without one.
right_one() {
    for each; do
        case $retired in *" $each "*) continue ;; esac
        [ "$(made_from "$each")" = "$wanted" ] || continue
        case $(state_of "$each") in
        'running healthy '*) printf '%s' "$each" && return ;;
        'running starting '*) right=${right:-$each} ;;
        esac
    done
    printf '%s' "${right:-}"
}
give_up() {
    docker rm --force "$1" >/dev/null 2>&1 || true
    printf '\n%s\n' "$2" >&2
    exit 1
}

# One of the service as its files say, which publishes what the container $1 does, but only for this server and at any port: so the
# engine lets visitors through to it who are led there.
start_deputy() {
    docker rm --force "$deputy" >/dev/null 2>&1 || true
    ports=$(docker inspect --format '{{range $port, $all := .HostConfig.PortBindings}}{{range $all}}{{$port}} {{.HostIp}}{{"\n"}}{{end}}{{end}}' "$1" |
        while read -r port address; do
            case $address in *:*) local='[::1]' ;; *) local=127.0.0.1 ;; esac
            [ -z "$port" ] || printf ' --publish %s::%s' "$local" "${port%/*}"
        done)
    # shellcheck disable=SC2086
    docker compose run --detach --no-deps --name "$deputy" $ports "$service" >.roll.log 2>&1 || {
        tail -n 3 .roll.log >&2
        return 1
    }
    # What "docker compose run" makes may not come back after a reboot beside the one it stood for.
    docker update --restart no "$deputy" >/dev/null
}
# Leads visitors back to $1.
dismiss_deputy() {
    [ -n "$deputy" ] || return 0
    becomes_healthy "$1" "$patience" || true
    move_back
    docker stop "$deputy" >/dev/null && docker rm "$deputy" >/dev/null
}

replace() {
    service=$1 way=$2
    there=$(containers_of "$service")
    # shellcheck disable=SC2086 # one word for each container
    set -- $there
    make_another "$service" $#
    new=''
    for each in $(containers_of "$service"); do
        case " $* " in *" $each "*) ;; *) new=$each ;; esac
    done
    [ -n "$new" ] || { echo "Compose made no other container of $service." >&2 && exit 1; }
    wanted=$(made_from "$new")
    keep=$(right_one "$@")
    if [ -n "$keep" ]; then
        docker rm "$new" >/dev/null
    else
        keep=$new
    fi
    old='' serving=''
    for each; do
        [ "$each" != "$keep" ] || continue
        old="$old $each"
        case $(state_of "$each") in 'running '*) serving=$each ;; esac
    done
    [ -n "$old" ] || return 0
    begun=$(date +%s)
    deputy=''
    if [ "$way" = handover ] && [ -n "$serving" ]; then
        deputy=$project-$service-deputy
        { start_deputy "$serving" && { becomes_healthy "$deputy" "$patience" || unwell "$deputy"; } && move "$service" "$deputy"; } || {
            docker rm --force "$keep" >/dev/null 2>&1 || true
            give_up "$deputy" "No other $service could take over; the one before still serves. Mend what is named above and run again, or set back what you changed."
        }
        say "$service: another one has taken over while it is made anew."
    fi
    # shellcheck disable=SC2086
    if [ "$way" != beside ]; then
        [ -n "$deputy" ] || say "$service finishes what it works on, and then makes room for the new one."
        # The engine goes on to stop it, whoever ends this here: compose/put_in_order has to know.
        printf '%s\n' $old >.roll.stopping
        docker stop $old >/dev/null
        took=$(($(date +%s) - begun))
        docker start "$keep" >/dev/null
        rm -f .roll.stopping
        # A reboot brings back what has the rule "always", also what was stopped by hand: from here on that is not both.
        docker update --restart no $old >/dev/null
        becomes_healthy "$keep" "$patience" || {
            unwell "$keep" || true
            docker stop "$keep" >/dev/null 2>&1 || true
            docker update --restart always $old >/dev/null
            [ -z "$serving" ] || docker start "$serving" >/dev/null
            dismiss_deputy "$serving"
            give_up "$keep" "The new $service did not start; the one before works on. Mend what is named above, and run again."
        }
        dismiss_deputy "$keep"
        say "$service: the old one took $took s to end, the new one works."
    else
        if [ "$keep" = "$new" ]; then
            # From its start on it answers to the service's name, and only later to requests.
            [ -z "$serving" ] || move "$service" "$(name_of "$serving")"
            docker start "$keep" >/dev/null
        fi
        becomes_healthy "$keep" "$patience" || {
            unwell "$keep" || true
            [ -n "$serving" ] || exit 1
            give_up "$keep" "The new $service did not become healthy; the one before still serves. Mend what is named above and run again, or set back what you changed."
        }
        move "$service" "$(name_of "$keep")"
        say "$service: the new one was healthy after $(($(date +%s) - begun)) s and serves; the old one finishes what it has begun."
        docker stop $old >/dev/null
    fi
    # shellcheck disable=SC2086
    docker rm $old >/dev/null
}

for each in $ways; do
    replace "${each%%=*}" "${each#*=}"
done
