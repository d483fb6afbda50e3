# What the server has of Docker Engine. $1 is the key file of its apt repository; the other arguments are package names.
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
look_at_units() {
    active='' enabled='' started='' masked='' unit=''
    while IFS='=' read -r property value; do
        case $unit.$property in
        *.Id) unit=$value ;;
        docker.service.ActiveState) active=$value ;;
        # "Mon 2026-11-23 09:08:11 UTC": not every date(1) reads the day of the week or a local zone.
        docker.service.ActiveEnterTimestamp) started=${value#* } ;;
        *.UnitFileState)
            [ "$unit" != docker.service ] || enabled=$value
            case $value in masked*) masked="$masked $unit" ;; esac
            ;;
        esac
    done <<END
$(TZ=UTC systemctl show --property Id,ActiveState,UnitFileState,ActiveEnterTimestamp docker.service docker.socket containerd.service 2>/dev/null)
END
}
look_at_units
# It starts, as after a boot, or reads its configuration anew: in a moment more is known.
tries=60
while [ "$tries" -gt 0 ]; do
    case $active in activating | reloading) ;; *) break ;; esac
    tries=$((tries - 1))
    sleep 0.5
    look_at_units
done
for unit in $masked; do printf 'masked %s\n' "$unit"; done
printf 'active %s\nenabled %s\n' "$active" "$enabled"
[ -n "$started" ] && printf 'started %s\n' "$(date -d "$started" +%s)"
[ -f /etc/docker/daemon.json ] && printf 'configured %s\n' "$(stat -c %Y /etc/docker/daemon.json)"
getent group docker | awk -F: '{ print "members " $4 }'
exit 0
