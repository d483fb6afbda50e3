# What preflight asks of a server, as lines "key value". $1 is mastodon_root, $2 proxy_root, $3 the swap file, $4 the note of
# an uninstall, $5 other places in one word, $6 a name that the DNS knows; the other arguments are names to look up. It needs no more
# than Debian's essential packages.
root=$1 proxy=$2 swap=$3 removing=$4 others_too=$5 well_known=$6
shift 6

# Before everything that may have to wait.
printf 'clock %s\n' "$(date +%s)"
# shellcheck source=/dev/null
(. /etc/os-release && printf 'system %s %s\n' "$ID" "${VERSION_ID:-unknown}")
printf 'architecture %s\n' "$(dpkg --print-architecture)"
read -r init </proc/1/comm
printf 'init %s\n' "$init"
awk '$1 == "MemTotal:" { print "memory " $2 } FILENAME == "/proc/swaps" && FNR > 1 { print "swap " $3, $1 }' \
    /proc/meminfo /proc/swaps
grep -qsw memory /sys/fs/cgroup/cgroup.controllers || [ -d /sys/fs/cgroup/memory ] || echo unlimited

# Images lie where the engine says: docker/setup.sh. A link may lead to another disk, whose mount may be missing.
disks() {
    # shellcheck disable=SC2046 # one word for each path
    set -- $(readlink -m -- "$@")
    for existing; do
        until [ -d "$existing" ]; do existing=$(dirname "$existing"); done
        set -- "$@" "$existing"
        shift
    done
    df -k --output=avail,itotal,iavail,target "$@" | awk 'NR > 1 { print $1, $4, ($2 > 0 ? $3 : "") }'
}
places="$root $root/media $root/database $swap $others_too"
# shellcheck disable=SC2086 # no path of the suite's has a space
disks $places | for path in $places; do
    # A df that does not know these columns is one of another system.
    read -r free || continue
    printf 'disk %s %s\n' "$path" "$free"
done

# Sockets that listen (0A) on port 80 (0050) or 443 (01BB), and the processes that hold them.
listening=$(awk '$4 == "0A" && $2 ~ /:0050$/ { print 80, $10 } $4 == "0A" && $2 ~ /:01BB$/ { print 443, $10 }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null)
held=$([ -z "$listening" ] || find /proc/[0-9]*/fd -lname 'socket:*' -printf '%l %p\n' 2>/dev/null |
    awk -v listening="$(printf '%s\n' "$listening" | awk '{ printf " socket:[%s] ", $2 }')" \
        'index(listening, " " $1 " ") && !known[$1]++ { split($2, path, "/"); print $1, path[3] }')
line_end='
'
[ -z "$listening" ] || printf '%s\n' "$listening" | while read -r port inode; do
    pid='' program=''
    case $held in
    *"socket:[$inode] "*)
        pid=${held#*"socket:[$inode] "}
        pid=${pid%%"$line_end"*}
        read -r program <"/proc/$pid/comm"
        ;;
    esac
    printf 'listener %s %s %s\n' "$port" "${pid:-0}" "$program"
    # Its control group names the container or the unit.
    [ -z "$pid" ] ||
        sed -n "s/.*\([0-9a-f]\{64\}\).*/owner $pid \1/p; t end; s#.*/\([^/]*\.\(service\|socket\)\).*#owner $pid \1#p; t end; b; : end; q" "/proc/$pid/cgroup"
done

directories=$(readlink -m -- "$root" "$proxy")
printf 'directories %s %s\n' "${directories%"$line_end"*}" "${directories#*"$line_end"}"
dpkg-query -W -f '${db:Status-Status} ${Package}\n' docker-ce docker.io docker-cli docker-buildx docker-compose \
    docker-compose-v2 podman-docker containerd runc moby-engine moby-cli moby-containerd moby-runc moby-buildx moby-compose \
    2>/dev/null | sed -n 's/^installed /package /p'
[ -d /snap/docker ] && echo 'package snap:docker'

# hostname knows no interfaces; a minimal server lacks ip.
# shellcheck disable=SC2154 # interfaces.sh
printf 'addresses %s\n' "$(
    { ip -oneline address show scope global 2>/dev/null || hostname -I | tr ' ' '\n' | sed 's/^/0: - - /'; } |
        awk -v others="$others" '!index(others, " " $2 " ") && $4 != "" { sub(/\/.*/, "", $4); print $4 }' | tr '\n' ' '
)"
# The DNS itself, not /etc/hosts, where a server often has its own name. systemd-resolved answers from that file too
# unless told otherwise. "getent hosts" asks for IPv6 first, and even where the server has none; "ahostsv4" for IPv4.
RES_OPTIONS='timeout:3 attempts:2'
export RES_OPTIONS
look_up() {
    if grep -qs '^nameserver 127\.0\.0\.53' /etc/resolv.conf && command -v resolvectl >/dev/null; then
        for type in A AAAA; do resolvectl query --synthesize=no --legend=no --type="$type" "$1"; done 2>/dev/null |
            awk '$2 == "IN" && $3 ~ /^A/ { print $4 }'
    else
        { getent -s hosts:dns hosts "$1"; getent -s hosts:dns ahostsv4 "$1"; } | awk '{ print $1 }'
    fi | sort -u
}
answered=''
for name in "$@"; do
    for address in $(look_up "$name"); do answered=yes && printf 'answer %s %s\n' "$name" "$address"; done
done
# Where it says nothing at all: do these names not exist, or does this server get no answers?
[ $# -eq 0 ] || [ -n "$answered" ] || for address in $(look_up "$well_known"); do printf 'answer %s %s\n' "$well_known" "$address"; done

awk '/=/ { print "installed " $0 }' "$root/state/installed.env" 2>/dev/null
for path in "$root"/rollback/v*.dump; do
    path=${path##*/}
    [ ! -f "$root/rollback/$path" ] || printf 'dump %s\n' "${path%.dump}"
done
# Which versions wrote what the stores have to read: PostgreSQL's own file, and the first nine bytes of Redis'.
[ ! -s "$root/database/PG_VERSION" ] || printf 'database %s\n' "$(cat "$root/database/PG_VERSION")"
awk 'sub(/^phase /, "postgres_move ")' "$root/state/postgres-upgrade" 2>/dev/null
awk 'sub(/^phase /, "adoption ")' /var/lib/mstdn/adoption 2>/dev/null
# Without newlines between them.
head -qc 9 "$root"/redis/dump.rdb "$root"/redis/appendonlydir/*.base.rdb 2>/dev/null | grep -ao 'REDIS[0-9]\{4\}' |
    sed -n 's/^REDIS0*\([1-9]\)/redis \1/p'
[ ! -f "$removing" ] || printf 'removing %s\n' "$(tr '\n' ' ' <"$removing")"
[ ! -f "$root/state/suite" ] || printf 'suite %s\n' "$(cat "$root/state/suite")"
exit 0
