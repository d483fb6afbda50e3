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
owner_of() {
    case $1 in mastodon.env | streaming.env) echo 991:991 ;; *) echo 999:999 ;; esac
}
# Compose reads these from .env by itself, for people's own "docker compose up" too: a container is made anew when its part
# changes. Sixteen digits of a checksum over keys of 128 digits tell nothing, so everybody who may use Docker may read them.
revisions() {
    for part in mastodon.env streaming.env redis.conf; do
        printf '%s_REVISION=%s\n' "$(echo "${part%.*}" | tr '[:lower:]' '[:upper:]')" "$(part "$part" | sha256sum | cut -c 1-16)"
    done
}
