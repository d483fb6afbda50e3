# Whether PostgreSQL and Redis of the project $1 let Mastodon in with the passwords that their containers were given: "refused
# postgres|redis WORDS" where they say no; "missing database|tables" where Mastodon's are not there; and "collation THEN NOW" where
# the database warns that its indexes were sorted by the rules of another version of the C library (PostgreSQL from 15 on does so to
# whoever comes in). The passwords appear in no argument of any program.
tables="SELECT 'missing tables' WHERE to_regclass('public.schema_migrations') IS NULL"
list_containers
postgres=$(running "$1" db) redis=$(running "$1" redis)
{
    # Over TCP: from its socket PostgreSQL lets everybody in, and there tells whoever was refused what it holds.
    # shellcheck disable=SC2016 # that is for the shell in the container
    [ -z "$postgres" ] || docker exec "$postgres" sh -c 'look() { psql --no-psqlrc --quiet --tuples-only --no-align --dbname mastodon_production "$@"; }
        PGPASSWORD=$(cat /run/secrets/postgres-password) PGCONNECT_TIMEOUT=3 look --host 127.0.0.1 --username mastodon --command "$1" || look --username postgres --command "$1"' sh "$tables" 2>&1 |
        sed -n '/^missing tables$/p; s/.*FATAL: *database "mastodon_production" does not exist.*/missing database/p; s/.*FATAL: *\(password authentication failed.*\|role .* is not permitted to log in\)/refused postgres \1/p; s/.*created using collation version \([^ ]*\), but the operating system provides version \([^ ]*\)\.$/collation \1 \2/p' &
    # shellcheck disable=SC2016 # that is for the shell in the container
    [ -z "$redis" ] || docker exec "$redis" sh -c 'REDISCLI_AUTH=$(cut -d " " -f 2 /run/secrets/redis.conf) exec redis-cli ping' 2>&1 |
        sed -n 's/.*\(WRONGPASS\|NOAUTH\|NOPERM\)\(.*\)/refused redis \1\2/p' | head -n 1
    wait
}
exit 0
