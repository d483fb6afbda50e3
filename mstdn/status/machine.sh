# What there is to know of the machine. $1: the directory of the suite's notes, $2: the file that names the suite, the rest:
# directories whose disks count, beside those of the system and of the engine. "now SECONDS"; "suite TEXT"; "disk MOUNT KIB AVAILABLE INODES%" of each file
# system; "memory TOTAL AVAILABLE SWAP FREE" in KiB; "killed NUMBER" of programs for want of memory since the start; "reboot" if
# one is due; "unit NAME LOADED ACTIVE RESULT NEXT" of each of the suite's; "noted FILE LINE" of what its programs have noted, "noted alerts CHANNEL SINCE WHY"
# where alerts do not get out.
notes=$1 suite=$2
shift 2
printf 'now %s\n' "$(date +%s)"
[ -f "$suite" ] && printf 'suite %s\n' "$(head -n 1 "$suite")"
# Where the engine keeps images and containers: by an option, which only the process knows, or by its file.
engine=$({ tr '\0' '\n' <"/proc/$(cat /run/docker.pid)/cmdline" | sed -n 's/^--data-root=//p; /^--data-root$/{n;p;}'; } 2>/dev/null)
[ -n "$engine" ] || engine=$(tr -d '\n' 2>/dev/null </etc/docker/daemon.json | sed -n 's/.*"data-root"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p')
for directory in / "${engine:-/var/lib/docker}" /var/lib/containerd "$@"; do
    # A directory that is not there yet will be made in one that is.
    until [ -e "$directory" ]; do directory=$(dirname -- "$directory"); done
    df -k --output=target,size,avail,ipcent -- "$directory" | sed -n '2s/^/disk /p'
done | awk '{ mount = $0; sub(/ +[^ ]+ +[^ ]+ +[^ ]+$/, "", mount) } !seen[mount]++'
awk '{ value[$1] = $2 } END { print "memory", value["MemTotal:"], value["MemAvailable:"], value["SwapTotal:"], value["SwapFree:"] }' /proc/meminfo
awk '$1 == "oom_kill" { print "killed " $2 }' /proc/vmstat
[ -e /run/reboot-required ] && echo reboot
# "timers" that nobody enabled are listed as well.
if command -v systemctl >/dev/null; then
    # shellcheck disable=SC2046 # one word for each unit
    set -- $(systemctl list-unit-files --no-legend --no-pager 'mstdn-*' 2>/dev/null | awk '$1 ~ /^[^@]*\.(timer|service)$/ { print $1 }')
    [ $# -eq 0 ] || systemctl show --property Id,LoadState,ActiveState,Result,NextElapseUSecRealtime -- "$@" 2>/dev/null |
        awk -F = '
            function show() { if ("Id" in value) print "unit", value["Id"], value["LoadState"], value["ActiveState"], value["Result"], value["NextElapseUSecRealtime"]; delete value }
            /^$/ { show(); next }
            { value[$1] = $2 }
            END { show() }'
fi
for file in "$notes/backup" "$notes/restoring" "$notes"/*-result; do
    [ -f "$file" ] && awk -v name="${file##*/}" '{ print "noted " name " " $0 }' "$file"
done
# Only what keeps alerts from getting out: what is wrong with the server is looked at here itself.
[ -f "$notes/alerts" ] && awk 'sub(/^failed /, "noted alerts ")' "$notes/alerts"
exit 0
