# shellcheck disable=SC2154 # engine.sh, which goes before, makes $described
# Whether PostgreSQL and Redis of the project $1 let Mastodon in with the passwords that their containers were given: "refused
# postgres|redis WORDS" where they say no; "missing database|tables" where Mastodon's are not there; and "collation THEN NOW" where
# the database warns that its indexes were sorted by the rules of another version of the C library (PostgreSQL from 15 on does so to
# whoever comes in). The passwords appear in no argument of any program.
tables="SELECT 'missing tables' WHERE to_regclass('public.schema_migrations') IS NULL"
describe_containers
postgres=$(running "$1" db) redis=$(running "$1" redis)
[ -z "$redis" ] || while read -r id process _; do
    [ "$id" != "$redis" ] || break
done <<END
$described
END
# Redis speaks in lines, so a shell is enough, in the network of the container: "docker exec" would start half a dozen programs.
# What it was given is read in its own tree, which is read-only: no link there leads root to another file.
ask_redis() {
    { read -r _ password <"/proc/$1/root/run/secrets/redis.conf"; } 2>/dev/null || return 0
    # shellcheck disable=SC2016 # that is for the other shell
    printf 'AUTH %s\r\nPING\r\nQUIT\r\n' "$password" | nsenter --net="/proc/$1/ns/net" bash -c '
        IFS= read -r -d "" questions
        exec 3<>/dev/tcp/127.0.0.1/6379 && printf %s "$questions" >&3 || exit
        while read -r -t 3 answer <&3; do printf "%s\n" "$answer"; done' 2>/dev/null
}
{
    # Over TCP: from its socket PostgreSQL lets everybody in, and there tells whoever was refused what it holds.
    # shellcheck disable=SC2016 # that is for the shell in the container
    [ -z "$postgres" ] || docker exec "$postgres" sh -c 'look() { psql --no-psqlrc --quiet --tuples-only --no-align --dbname mastodon_production "$@"; }
        PGPASSWORD=$(cat /run/secrets/postgres-password) PGCONNECT_TIMEOUT=3 look --host 127.0.0.1 --username mastodon --command "$1" || look --username postgres --command "$1"' sh "$tables" 2>&1 |
        sed -n '/^missing tables$/p; s/.*FATAL: *database "mastodon_production" does not exist.*/missing database/p; s/.*FATAL: *\(password authentication failed.*\|role .* is not permitted to log in\)/refused postgres \1/p; s/.*created using collation version \([^ ]*\), but the operating system provides version \([^ ]*\)\.$/collation \1 \2/p' &
    [ -z "$redis" ] || ask_redis "$process" |
        sed -n 's/\r$//; s/.*\(WRONGPASS\|NOAUTH\|NOPERM\)\(.*\)/refused redis \1\2/p' | head -n 1
    wait
}
exit 0
