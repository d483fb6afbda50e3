# Goes before the scripts that compare or write what each container gets of the secrets in the directory $1.
# shellcheck disable=SC2034 # read by what comes after it
PARTS='mastodon.env streaming.env postgres-superuser-password postgres-password redis.conf'
directory=$1
pick() { grep -E "^($1)=" "$directory/instance.env" 2>/dev/null || true; }
value() { pick "$1" | cut -d= -f2-; }
# Prints the part $1: only what its reader needs, in the form that it reads.
part() {
    case $1 in
    mastodon.env)
        pick 'SECRET_KEY_BASE|ACTIVE_RECORD_ENCRYPTION_[A-Z_]+|VAPID_[A-Z_]+|DB_PASS|REDIS_PASSWORD'
        [ ! -e "$directory/operator.env" ] || cat "$directory/operator.env"
        ;;
    streaming.env) pick 'DB_PASS|REDIS_PASSWORD' ;;
    postgres-superuser-password) value POSTGRES_PASSWORD ;;
    postgres-password) value DB_PASS ;;
    redis.conf) printf 'requirepass %s\n' "$(value REDIS_PASSWORD)" ;;
    esac
}
# Prints the part that was read last: only what its reader needs, in the form that it reads.
part() {
    lines=$(grep -E "^($part_names)=" "$directory/instance.env" 2>/dev/null)
    case $part_form in
    dotenv) [ -z "$lines" ] || printf '%s\n' "$lines" ;;
    bare) printf '%s\n' "${lines#*=}" ;;
    redis) printf 'requirepass %s\n' "${lines#*=}" ;;
    esac
    if [ "$part_operator" = operator ] && [ -e "$directory/operator.env" ]; then cat "$directory/operator.env"; fi
}
# Compose reads these from .env by itself, for people's own "docker compose up" too: a container is made anew when its part
# changes. Sixteen digits of a checksum over keys of 128 digits tell nothing, so everybody who may use Docker may read them.
revisions() {
    for each in "$@"; do
        read_fields "$each"
        [ "$part_revision" = - ] || printf '%s=%.16s\n' "$part_revision" "$(part | sha256sum)"
    done
}
