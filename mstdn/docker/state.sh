# shellcheck disable=SC2154 # units.sh, which goes before, makes $unit
# What the server has of Docker Engine; "lacks containerd" where that has ended. $1 is the key file of its apt repository; the other
# arguments are package names. After units.
key=$1
shift
# shellcheck source=/dev/null
printf 'codename %s\n' "$(. /etc/os-release && echo "$ID ${VERSION_CODENAME:-unknown}")"
printf 'architecture %s\n' "$(dpkg --print-architecture)"
dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' "$@" 2>/dev/null | while read -r status name version; do
    # The first letter is what is wanted (h: held by "apt-mark hold", i: installed), the second what is there.
    case $status in ?i) printf 'package %s %s\n' "$name" "$version" ;; esac
    case $status in h*) printf 'held %s\n' "$name" ;; esac
done
[ -f "$key" ] && printf 'key %s\n' "$(base64 -w 0 "$key")"
active='' enabled='' started=''
for name in docker.service docker.socket containerd.service; do
    find_unit "$name" || continue
    case $unit in *UnitFileState=masked*) printf 'masked %s\n' "$name" ;; esac
    # A daemon whose containerd has ended still lists containers, and can do nothing with them.
    case $name-$unit in
    *LoadState=not-found*) ;;
    containerd.service-*ActiveState=inactive* | containerd.service-*ActiveState=failed*) echo 'lacks containerd' ;;
    esac
    [ "$name" = docker.service ] || continue
    while IFS='=' read -r property value; do
        case $property in
        ActiveState) active=$value ;;
        UnitFileState) enabled=$value ;;
        # "Mon 2026-11-23 09:08:11 UTC": not every date(1) reads the day of the week or a local zone.
        ActiveEnterTimestamp) started=${value#* } ;;
        esac
    done <<END
$unit
END
done
printf 'active %s\nenabled %s\n' "$active" "$enabled"
[ -n "$started" ] && printf 'started %s\n' "$(date -d "$started" +%s)"
[ -f /etc/docker/daemon.json ] && printf 'configured %s\n' "$(stat -c %Y /etc/docker/daemon.json)"
members=$(getent group docker) && printf 'members %s\n' "${members##*:}"
exit 0
