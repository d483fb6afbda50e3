# Accounts of other servers of which the database of the project $1 has more than one: "duplicates NUMBER". Nothing where the database
# does not run, has no such table or takes too long to count.
list_containers
db=$(running "$1" db)
[ -n "$db" ] || exit 0
# Not by an index, which may be what has let them in.
# shellcheck disable=SC2016 # that is for the shell in the container
docker exec -i -e PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=50s -c enable_indexscan=off -c enable_indexonlyscan=off -c enable_bitmapscan=off' "$db" sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-superuser-password) exec psql --no-psqlrc --quiet --tuples-only --no-align --username postgres --dbname mastodon_production --set ON_ERROR_STOP=1' 2>/dev/null <<'SQL' || exit 0
SELECT 'duplicates ' || count(*) FROM (SELECT FROM accounts WHERE uri <> '' AND domain IS NOT NULL GROUP BY uri HAVING count(*) > 1) AS found;
SQL
