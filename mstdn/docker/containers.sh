# All containers of the engine, running or not: "container JSON" for each; then "gone ID PATH" for each path in a running
# container whose file or socket on the server was removed or replaced after the container had started.
describe_containers
[ -n "$described" ] || exit 0
printf '%s\n' "$described" | {
    running=''
    while read -r id process _ _ json; do
        printf 'container %s\n' "$json"
        [ "$process" = 0 ] || running="$running$id $process " && set -- "$@" "/proc/$process/mountinfo"
    done
    # The kernel says of a bind mount whose source was removed that it is "deleted", whoever has put something else there since.
    grep -qs '//deleted ' "$@" /dev/null || exit 0
    # shellcheck disable=SC2086 # two words for each container
    set -- $running
    while [ $# -gt 0 ]; do
        awk -v id="$1" '$4 ~ /\/\/deleted$/ { print "gone " id " " $5 }' "/proc/$2/mountinfo" 2>/dev/null
        shift 2
    done
}
exit 0
