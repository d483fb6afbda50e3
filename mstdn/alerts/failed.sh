# Tells that the watcher itself does not work, once, and once that it works again. systemd starts it after a round that failed, and with
# "over" as $1 after one that did not. As in a round, what is seen twice in a row is told. It needs nothing of what may have failed:
# no settings, no lock, no temporary file, and no place on the disk. After ways.sh.
# What is known stands in one line, "STATE ROUNDS SINCE CHANNEL…": state seen, open or better as in remember.sh, and who was told.
# shellcheck disable=SC2034 # ways.sh uses "here"
set -eu
umask 077
export LC_ALL=C
notes=/var/lib/mstdn spare=/run/mstdn-alerts-failed here=${0%/*} rounds=2
known=$notes/alerts-failed
[ ! -e "$spare" ] || known=$spare
[ -e "$known" ] || [ "${1-}" != over ] || exit 0
state='' count='' since='' informed=''
[ ! -e "$known" ] || read -r state count since informed <"$known" || true
now=$(date +%s)
case $state-$count-$since in
seen-[0-9]-[1-9]*[0-9] | open-[0-9]-[1-9]*[0-9] | better-[0-9]-[1-9]*[0-9]) ;;
*) state='' count=0 since=$now informed='' ;;
esac
keep() {
    if [ -z "$state" ]; then
        rm -f "$notes/alerts-failed" "$spare"
    elif printf '%s\n' "$state $count $since$informed" 2>/dev/null >"$notes/.alerts-failed.new" &&
        mv -fT "$notes/.alerts-failed.new" "$notes/alerts-failed" 2>/dev/null; then
        rm -f "$spare"
    else
        # Where nothing can be kept, a message too many is better than none.
        rm -f "$notes/.alerts-failed.new"
        printf '%s\n' "$state $count $since$informed" 2>/dev/null >"$spare" || true
    fi
}
# Sends $text by each of the channels $3…, and prints those that took it. $1: the title, $2: the urgency.
send() {
    title=$1 urgency=$2
    shift 2
    for channel; do
        said=$(printf '%s\n' "$text" | "by_$channel" "$title" "$urgency" 2>/dev/null) || true
        if went_well "$channel" "$said"; then
            printf ' %s' "$channel"
        else
            echo "The message could not be sent by $channel, and is tried again after the next round." >&2
        fi
    done
}
# read takes the spaces at the beginning away.
informed=${informed:+ $informed}

if [ "${1-}" = over ]; then
    if [ "$state" = seen ]; then
        state=''
        keep
        exit 0
    fi
    [ "$state" = better ] || count=0
    state=better
    [ "$count" -ge 9 ] || count=$((count + 1))
    keep
    [ "$count" -ge "$rounds" ] || exit 0
    text="MENDED after $(((now - since) / 60)) minutes: the watcher of $LOCAL_DOMAIN looks at the server again."
    [ "$count" -gt "$rounds" ] || echo "$text"
    # shellcheck disable=SC2086 # names of channels
    sent=$(send "$LOCAL_DOMAIN: its watcher works again" default $informed)
    left=''
    for channel in $informed; do case "$sent " in *" $channel "*) ;; *) left="$left $channel" ;; esac done
    informed=$left
    [ -n "$informed" ] || state=''
    keep
    exit 0
fi

begins=''
case $state in
open) ;;
better) state=open count=$rounds ;;
*)
    state=seen count=$((count + 1))
    [ "$count" -lt "$rounds" ] || state=open begins=yes
    ;;
esac
# Before anything is sent: a reboot in between repeats a message at most.
keep
[ "$state" = open ] || exit 0
why="${MONITOR_SERVICE_RESULT:-failed}${MONITOR_EXIT_STATUS:+, $MONITOR_EXIT_STATUS}"
said=''
# systemd may know of the end before journald has written down what was said in the end.
journalctl --sync 2>/dev/null || true
lines() { journalctl --quiet --output cat --identifier mstdn-alerts --lines 3 "$@" 2>/dev/null | cut -c 1-300; }
[ -z "${MONITOR_INVOCATION_ID-}" ] || said=$(lines "_SYSTEMD_INVOCATION_ID=$MONITOR_INVOCATION_ID") || true
# Of a program that ends at once journald may not find out any more to which round its words belong.
[ -n "$said" ] || said=$(lines --since=-2min) || true
text="WRONG: the watcher of $LOCAL_DOMAIN does not come to its end ($why). Whatever else goes wrong is not told until it does.${said:+
It says: $said}
Deploy, which puts its programs in order: pyinfra inventory.py deploy.py
All that it said, on the server: journalctl --unit mstdn-alerts"
[ -z "$begins" ] || printf '%s\n' "$text"
for channel in $(ways); do
    case "$informed " in *" $channel "*) continue ;; esac
    informed="$informed$(send "$LOCAL_DOMAIN: its watcher does not work" high "$channel")"
done
keep
