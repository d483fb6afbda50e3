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
controllers=''
{ read -r controllers </sys/fs/cgroup/cgroup.controllers; } 2>/dev/null
case " $controllers " in *' memory '*) ;; *) [ -d /sys/fs/cgroup/memory ] || echo unlimited ;; esac

# Images lie where the engine says: docker/setup.sh.
# shellcheck disable=SC2086 # no path of the suite's has a space
disks $root $root/media $root/database $swap $others_too
# shellcheck disable=SC2046,SC2183 # two words
printf 'directories %s %s\n' $(readlink -m -- "$root" "$proxy")

# Sockets that listen (0A) on port 80 (0050) or 443 (01BB), and the processes that hold them.
listening=$(awk '$4 == "0A" && $2 ~ /:0050$/ { print 80, $10 } $4 == "0A" && $2 ~ /:01BB$/ { print 443, $10 }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null)
line_end='
'
wanted='' known='' processes='' told=''
while read -r _ inode; do wanted="$wanted socket:[$inode] "; done <<END
$listening
END
held=$([ -z "$listening" ] || find /proc/[0-9]*/fd -lname 'socket:*' -printf '%l %p\n' 2>/dev/null |
    awk -v wanted="$wanted" 'index(wanted, " " $1 " ") && !known[$1]++ { split($2, path, "/"); print $1, path[3] }')
[ -z "$listening" ] || while read -r port inode; do
    pid='' program=''
    case $held in
    *"socket:[$inode] "*)
        pid=${held#*"socket:[$inode] "}
        pid=${pid%%"$line_end"*}
        read -r program <"/proc/$pid/comm"
        ;;
    esac
    printf 'listener %s %s %s\n' "$port" "${pid:-0}" "$program"
    case " $known " in *" $pid "*) ;; *) known="$known $pid" processes="$processes /proc/$pid/cgroup" ;; esac
done <<END
$listening
END
# Its control group names the container or the unit.
# shellcheck disable=SC2086 # one word for each file
[ -z "$processes" ] ||
    sed -sn 's/.*\([0-9a-f]\{64\}\).*/\1/p; t told; s#.*/\([^/]*\.\(service\|socket\)\).*#\1#p; t told; b; : told; F' $processes 2>/dev/null |
    while read -r owner && read -r process; do
        pid=${process#/proc/}
        pid=${pid%/cgroup}
        case $told in *" $pid "*) continue ;; esac
        told="$told $pid "
        printf 'owner %s %s\n' "$pid" "$owner"
    done

dpkg-query -W -f '${db:Status-Status} ${Package}\n' docker-ce docker.io docker-cli docker-buildx docker-compose \
    docker-compose-v2 podman-docker containerd runc moby-engine moby-cli moby-containerd moby-runc moby-buildx moby-compose \
    2>/dev/null | while read -r state package; do [ "$state" != installed ] || printf 'package %s\n' "$package"; done
[ -d /snap/docker ] && echo 'package snap:docker'

# hostname knows no interfaces; a minimal server lacks ip.
addresses=''
while read -r _ name _ address _; do
    # shellcheck disable=SC2154 # interfaces.sh
    case "$others" in *" $name "*) ;; *) addresses="$addresses${address%%/*} " ;; esac
done <<END
$(ip -oneline address show scope global 2>/dev/null || for address in $(hostname -I); do echo "0: - - $address"; done)
END
printf 'addresses %s\n' "$addresses"
# The DNS itself, not /etc/hosts, where a server often has its own name. systemd-resolved answers from that file too
# unless told otherwise. "getent hosts" asks for IPv6 first, and even where the server has none; "ahostsv4" for IPv4.
RES_OPTIONS='timeout:3 attempts:2'
export RES_OPTIONS
resolver=getent
grep -qs '^nameserver 127\.0\.0\.53' /etc/resolv.conf && command -v resolvectl >/dev/null && resolver=resolvectl
# Each address of the name $1 once.
look_up() {
    found=''
    while read -r address type data answer _; do
        # "NAME IN A ADDRESS" is how resolvectl prints it.
        [ "$resolver" = getent ] || case $type,$data in IN,A | IN,AAAA) address=$answer ;; *) continue ;; esac
        case " $found" in *" $address "*) ;; *) found="$found$address " ;; esac
    done <<END
$(if [ "$resolver" = getent ]; then
        getent -s hosts:dns hosts "$1"
        getent -s hosts:dns ahostsv4 "$1"
    else
        for type in A AAAA; do resolvectl query --synthesize=no --legend=no --type="$type" "$1" 2>/dev/null; done
    fi)
END
    echo "$found"
}
answered=''
for name in "$@"; do
    for address in $(look_up "$name"); do answered=yes && printf 'answer %s %s\n' "$name" "$address"; done
done
# Where it says nothing at all: do these names not exist, or does this server get no answers?
[ $# -eq 0 ] || [ -n "$answered" ] || for address in $(look_up "$well_known"); do printf 'answer %s %s\n' "$well_known" "$address"; done

# Prints, for each line of the file $2 that matches $3, "$1" and the line without $4 at its beginning.
lines_of() {
    [ ! -f "$2" ] || while IFS= read -r line || [ -n "$line" ]; do
        # shellcheck disable=SC2254 # that is a pattern
        case $line in $3) printf '%s %s\n' "$1" "${line#"$4"}" ;; esac
    done <"$2"
}
lines_of installed "$root/state/installed.env" '*=*' ''
for path in "$root"/rollback/v*.dump; do
    path=${path##*/}
    [ ! -f "$root/rollback/$path" ] || printf 'dump %s\n' "${path%.dump}"
done
# Which versions wrote what the stores have to read: PostgreSQL's own file, and the first nine bytes of Redis'.
lines_of database "$root/database/PG_VERSION" '?*' ''
lines_of postgres_move "$root/state/postgres-upgrade" 'phase *' 'phase '
lines_of adoption /var/lib/mstdn/adoption 'phase *' 'phase '
# Without newlines between them.
formats=$(head -qc 9 "$root"/redis/dump.rdb "$root"/redis/appendonlydir/*.base.rdb 2>/dev/null)
while :; do
    case $formats in *REDIS[0-9][0-9][0-9][0-9]*) ;; *) break ;; esac
    formats=${formats#*REDIS}
    format=${formats%"${formats#????}"}
    case $format in *[!0-9]*) ;; *) printf 'redis %s\n' "${format#"${format%%[1-9]*}"}" ;; esac
done
[ ! -f "$removing" ] || printf 'removing %s\n' "$(tr '\n' ' ' <"$removing")"
lines_of suite "$root/state/suite" '?*' ''
exit 0
