# Whether PostgreSQL and Redis of the project $1 let Mastodon in with the passwords that their containers were given: "refused
# postgres|redis WORDS" where they say no, and "collation THEN NOW" where the database warns that its indexes were sorted by the rules
# of another version of the C library (PostgreSQL from 15 on does so to whoever comes in). The passwords appear in no argument of any program.
list_containers
postgres=$(running "$1" db) redis=$(running "$1" redis)
{
    # Over TCP: from its socket PostgreSQL lets everybody in.
    [ -z "$postgres" ] || docker exec "$postgres" sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-password) PGCONNECT_TIMEOUT=3 exec psql --no-psqlrc --quiet --host 127.0.0.1 --username mastodon --dbname mastodon_production --command ""' 2>&1 |
        sed -n 's/.*FATAL: *\(password authentication failed.*\|role .* is not permitted to log in\)/refused postgres \1/p; s/.*created using collation version \([^ ]*\), but the operating system provides version \([^ ]*\)\.$/collation \1 \2/p' &
    # shellcheck disable=SC2016 # that is for the shell in the container
    [ -z "$redis" ] || docker exec "$redis" sh -c 'REDISCLI_AUTH=$(cut -d " " -f 2 /run/secrets/redis.conf) exec redis-cli ping' 2>&1 |
        sed -n 's/.*\(WRONGPASS\|NOAUTH\|NOPERM\)\(.*\)/refused redis \1\2/p' | head -n 1
    wait
}
exit 0
