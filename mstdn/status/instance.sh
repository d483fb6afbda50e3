# What the running parts of the project $1 say of themselves: "database BYTES CONNECTIONS MOST", "pending VERSION_NAME" of each
# migration of the release that has not run, "update VERSION t|f" of each newer release that Mastodon has heard of and whether it
# mends security; "queue NAME JOBS SINCE" with the time at which its oldest job came ("-" without
# one), "jobs RETRIES DEAD PROCESSES", "writes STATUS" of Redis' last writes to disk. "silent db|redis" where one does not answer, "missing
# tables" where PostgreSQL has none of Mastodon's.
list_containers
# While a release is replaced there are two web.
db=$(running "$1" db) redis=$(running "$1" redis) web=$(running "$1" web | head -n 1)
# shellcheck disable=SC2016 # that is for the shell in the container
sql() { docker exec -i -e PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=20s' "$db" sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-superuser-password) exec psql --no-psqlrc --quiet --tuples-only --no-align --username postgres --dbname mastodon_production --set ON_ERROR_STOP=1' 2>/dev/null; }
if [ -n "$db" ]; then
    sql <<'SQL' || echo 'silent db'
SELECT concat_ws(' ', 'database', pg_database_size(current_database()),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), current_setting('max_connections'));
SELECT 'missing tables' WHERE to_regclass('public.schema_migrations') IS NULL;
-- Sidekiq asks api.joinmastodon.org every half hour (app/services/software_update_check_service.rb).
SELECT to_regclass('software_updates') IS NOT NULL AS told \gset
\if :told
SELECT concat_ws(' ', 'update', version, urgent) FROM software_updates;
\endif
SQL
fi
if [ -n "$db" ] && [ -n "$web" ]; then
    applied=$(echo "SELECT 'applied ' || version FROM schema_migrations" | sql)
    # Their files, and not rails, which would take ten seconds and 200 MB.
    files=$(docker exec -i "$web" sh -s <<'INSIDE'
cd /opt/mastodon/db && ls migrate post_migrate | sed -n 's/^\([0-9][0-9]*_.*\)\.rb$/file \1/p'
INSIDE
    )
    [ -z "$applied" ] || printf '%s\n' "$applied" "$files" | awk '
        $1 == "applied" { done[$2] = 1 }
        $1 == "file" { version = $2; sub(/_.*/, "", version); if (!(version in done)) print "pending " $2 }'
fi
if [ -n "$redis" ]; then
    docker exec -i "$redis" sh -s <<'INSIDE'
REDISCLI_AUTH=$(cut -d ' ' -f 2 /run/secrets/redis.conf)
export REDISCLI_AUTH
ask() { timeout 10 redis-cli --raw "$@" 2>/dev/null; }
if [ "$(ask PING)" != PONG ]; then
    echo 'silent redis'
    exit 0
fi
for queue in $(ask SMEMBERS queues); do
    # What a job is about is nobody's business here: only the time at which it came.
    since=$(ask LINDEX "queue:$queue" -1 | sed -n 's/.*"enqueued_at":\([0-9.]*\).*/\1/p')
    printf 'queue %s %s %s\n' "$queue" "$(ask LLEN "queue:$queue")" "${since:--}"
done
printf 'jobs %s %s %s\n' "$(ask ZCARD retry)" "$(ask ZCARD dead)" "$(ask SCARD processes)"
ask INFO persistence | tr -d '\r' | sed -n 's/^\(rdb_last_bgsave_status\|aof_last_write_status\):/writes /p'
INSIDE
fi
exit 0
