# What the server has of Docker Engine. $1 is the key file of its apt repository; the other arguments are package names.
key=$1
shift
# shellcheck source=/dev/null
printf 'codename %s\n' "$(. /etc/os-release && echo "$ID $VERSION_CODENAME")"
printf 'architecture %s\n' "$(dpkg --print-architecture)"
dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' "$@" 2>/dev/null | while read -r status name version; do
    [ "$status" = ii ] && printf 'package %s %s\n' "$name" "$version"
done
if [ -f "$key" ] && command -v gpg >/dev/null; then
    home=$(mktemp -d /run/gpg.XXXXXX)
    gpg --batch --homedir "$home" --no-options --no-keyring --show-keys --with-colons -- "$key" 2>/dev/null |
        awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print "fingerprint " $10; primary = 0 }'
    rm -rf "$home"
fi
printf 'active %s\n' "$(systemctl is-active docker.service 2>/dev/null)"
printf 'enabled %s\n' "$(systemctl is-enabled docker.service 2>/dev/null)"
# "Mon 2026-11-23 09:08:11 UTC": not every date(1) reads the day of the week or a local zone.
started=$(TZ=UTC systemctl show --property ActiveEnterTimestamp --value docker.service 2>/dev/null)
[ -n "$started" ] && printf 'started %s\n' "$(date -d "${started#* }" +%s)"
[ -f /etc/docker/daemon.json ] && printf 'configured %s\n' "$(stat -c %Y /etc/docker/daemon.json)"
getent group docker | awk -F: '{ print "members " $4 }'
exit 0
