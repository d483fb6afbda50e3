# Gives each container the part of the secrets in $1 that it needs, in the form it reads, and no other.
# $2 is "check": say whether something is to be done; or "write": do it.
set -eu
umask 077
directory=$1 action=$2
if [ ! -e "$directory/instance.env" ]; then
    [ "$action" = check ] || exit 1
    echo differs
    exit 0
fi
# A check leaves the disk alone; a write works beside its targets, because only a rename within a file system is atomic.
[ "$action" = check ] && base=/run || base=$directory
# Left by a run that was killed.
[ "$action" = check ] || rm -rf "$directory/.making" "$directory"/.handing.*
work=$(mktemp -d "$base/.handing.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
pick() { grep -E "^($1)=" "$directory/instance.env" || true; }
value() { pick "$1" | cut -d= -f2-; }

{
    pick 'SECRET_KEY_BASE|ACTIVE_RECORD_ENCRYPTION_[A-Z_]+|VAPID_[A-Z_]+|DB_PASS|REDIS_PASSWORD'
    [ ! -e "$directory/operator.env" ] || cat "$directory/operator.env"
} >mastodon.env
pick 'DB_PASS|REDIS_PASSWORD' >streaming.env
value POSTGRES_PASSWORD >postgres-superuser-password
value DB_PASS >postgres-password
printf 'requirepass %s\n' "$(value REDIS_PASSWORD)" >redis.conf
chown 991:991 mastodon.env streaming.env
chown 999:999 postgres-superuser-password postgres-password redis.conf
chmod 0400 ./*

# Compose reads .env by itself, for people's own "docker compose up" too: a container is made anew when its secrets change.
revision=$(sha256sum mastodon.env | cut -c 1-16)
printf 'SECRETS_REVISION=%s\n' "$revision" >compose.env
chmod 0600 compose.env

differs=
for file in mastodon.env streaming.env postgres-superuser-password postgres-password redis.conf; do
    target=$directory/$file
    if ! cmp -s "$file" "$target" || [ "$(stat -c '%a %u:%g' "$file")" != "$(stat -c '%a %u:%g' "$target" 2>/dev/null)" ]; then
        differs=yes
        [ "$action" = check ] || mv -fT "$file" "$target"
    fi
done
if ! cmp -s compose.env "$directory/../.env"; then
    differs=yes
    [ "$action" = check ] || mv -fT compose.env "$directory/../.env"
fi
[ "$action" = write ] || [ -z "$differs" ] || echo differs
