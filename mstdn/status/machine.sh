# What there is to know of the machine. $1: the directory of the suite's notes, $2: the file that names the suite, $3: that of the
# engine's data, the rest: further directories. "now SECONDS"; "suite TEXT"; "disk MOUNT KIB AVAILABLE INODES%" of each file
# system; "memory TOTAL AVAILABLE SWAP FREE" in KiB; "killed NUMBER" of programs for want of memory since the start; "reboot" if
# one is due; "unit NAME LOADED ACTIVE RESULT NEXT" of each of the suite's; "noted FILE LINE" of what its programs have noted.
notes=$1 suite=$2
shift 2
printf 'now %s\n' "$(date +%s)"
[ -f "$suite" ] && printf 'suite %s\n' "$(head -n 1 "$suite")"
for directory in / "$@"; do
    # A directory that is not there yet will be made in one that is.
    until [ -e "$directory" ]; do directory=$(dirname -- "$directory"); done
    df -k --output=target,size,avail,ipcent -- "$directory" | sed -n '2s/^/disk /p'
done | awk '{ mount = $0; sub(/ +[^ ]+ +[^ ]+ +[^ ]+$/, "", mount) } !seen[mount]++'
awk '{ value[$1] = $2 } END { print "memory", value["MemTotal:"], value["MemAvailable:"], value["SwapTotal:"], value["SwapFree:"] }' /proc/meminfo
awk '$1 == "oom_kill" { print "killed " $2 }' /proc/vmstat
[ -e /run/reboot-required ] && echo reboot
# "timers" that nobody enabled are listed as well.
if command -v systemctl >/dev/null; then
    systemctl list-unit-files --no-legend --no-pager 'mstdn-*' 2>/dev/null | while read -r unit _; do
        case $unit in *.timer | *.service) ;; *) continue ;; esac
        systemctl show --property LoadState,ActiveState,Result,NextElapseUSecRealtime "$unit" 2>/dev/null |
            awk -F = -v unit="$unit" '{ value[$1] = $2 } END { print "unit", unit, value["LoadState"], value["ActiveState"], value["Result"], value["NextElapseUSecRealtime"] }'
    done
fi
for file in "$notes/backup" "$notes/restoring" "$notes"/*-result; do
    [ -f "$file" ] && sed "s/^/noted ${file##*/} /" "$file"
done
exit 0
