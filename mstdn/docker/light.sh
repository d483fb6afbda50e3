# Goes before scripts that ask Docker Engine in place of engine.sh, in programs that look every few minutes: curl asks the engine's
# socket, where the command docker would take 40 MB of memory each time. An engine that does not run is not asked, because its
# socket would start it (docker.socket).
socket=/run/docker.sock
docker_is_silent() { echo 'unknown Docker does not answer' && exit 0; }
case $(systemctl show --property ActiveState --value docker.service 2>/dev/null) in
active) ;;
*) echo 'unknown Docker does not run' && exit 0 ;;
esac
# $1: the path; $2: what to send, if anything, on a descriptor of its own because others can read arguments.
ask_engine() {
    if [ $# -gt 1 ]; then
        printf '%s' "$2" | curl --silent --fail --max-time 60 --unix-socket "$socket" --header 'Content-Type: application/json' --data-binary @- "http://docker$1"
    else
        curl --silent --fail --max-time 60 --unix-socket "$socket" "http://docker$1"
    fi
}
# Of all containers that belong to a Compose project: "ID|STATE|PROJECT|SERVICE|ONE-OFF" as engine.sh has them, in $containers,
# and the same with their health behind it in $with_health. Newer engines have a field for it, older ones only a text.
list_containers() {
    [ -z "${containers+found}" ] || return 0
    found=$(ask_engine '/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker.compose.project%22%5D%7D') || docker_is_silent
    with_health=$(printf '%s\n' "$found" |
        grep -oE '"(Id|State|Status)":"[^"]*"|"com\.docker\.compose\.(project|service|oneoff)":"[^"]*"' | awk -F '"' '
            function show() { if (id) print id "|" state "|" project "|" service "|" once "|" health }
            $2 == "Id" { show(); id = $4; state = project = service = once = ""; health = "none" }
            $2 == "State" { state = $4 }
            $2 == "Status" && $4 ~ /^(healthy|unhealthy|starting)$/ { health = $4 }
            $2 == "Status" && match($4, /\((healthy|unhealthy|health: starting)\)/) {
                health = substr($4, RSTART + 1, RLENGTH - 2); sub(/^health: /, "", health) }
            $2 ~ /project$/ { project = $4 }
            $2 ~ /service$/ { service = $4 }
            $2 ~ /oneoff$/ { once = $4 }
            END { show() }')
    containers=$(printf '%s\n' "$with_health" | cut -d '|' -f 1-5)
}
# The IDs, of those, of the running containers of the service $2 of the project $1.
running() { printf '%s\n' "$containers" | sed -n "s/^\([0-9a-f]*\)|running|$1|$2|False\$/\1/p"; }
# The arguments as texts of JSON, with commas between.
json_texts() {
    printf '%s\001' "$@" | tr '\n\t\r' '\002\003\004' |
        sed 's/\\/\\\\/g; s/"/\\"/g; s/\x02/\\n/g; s/\x03/\\t/g; s/\x04/\\r/g; s/\x01$//; s/\x01/","/g; s/^/"/; s/$/"/'
}
# docker exec [-i] [-e NAME=VALUE]… CONTAINER COMMAND…, with its output and exit code, without its error output. What stands on
# standard input goes along as a variable, so it may hold nothing secret. The program gets a terminal, because the engine's stream
# without one is binary; a pipe goes between, so that the program does not format its output for a person.
docker() {
    [ "$1" = exec ] || return 64
    shift
    input='' variables=''
    while :; do
        case $1 in
        -i) input=$(cat) && shift ;;
        -e) variables=$variables,$(json_texts "$2") && shift 2 ;;
        *) break ;;
        esac
    done
    container=$1
    shift
    # shellcheck disable=SC2016 # that is for the shell in the container
    wrapped='{ printf "%s\n" "$MSTDN_INPUT" | "$@" 2>/dev/null; echo "mstdn ended $?"; } | cat'
    made=$(ask_engine "/containers/$container/exec" \
        "{\"AttachStdout\":true,\"Tty\":true,\"Env\":[$(json_texts "MSTDN_INPUT=$input")$variables],\"Cmd\":[$(json_texts sh -c "$wrapped" sh "$@")]}") || return 1
    made=$(printf '%s' "$made" | sed -n 's/.*"Id":"\([0-9a-f]*\)".*/\1/p')
    [ -n "$made" ] || return 1
    told=$(ask_engine "/exec/$made/start" '{"Detach":false,"Tty":true}' | tr -d '\r') || return 1
    printf '%s\n' "$told" | sed '/^mstdn ended [0-9]*$/d'
    ended=$(printf '%s\n' "$told" | sed -n 's/^mstdn ended \([0-9]*\)$/\1/p')
    return "${ended:-1}"
}
# "network NAME BRIDGE SUBNET…" of each of the networks that are the arguments.
bridges() {
    for network; do
        ask_engine "/networks/$network" | grep -oE '"(Name|Id|Subnet|com\.docker\.network\.bridge\.name)":"[^"]*"' | awk -F '"' '
            $2 == "Name" && !name { name = $4 }
            $2 == "Id" && !id { id = $4 }
            $2 == "Subnet" { subnets = subnets " " $4 }
            $2 ~ /bridge/ { bridge = $4 }
            END { if (name) print "network " name " " (bridge ? bridge : "br-" substr(id, 1, 12)) subnets }'
    done
}
