# Takes away what monitoring has left in the instance in $1: the role in PostgreSQL, the project's directory, and the password.
# That goes last: as long as it is among the secrets, the next run knows that this one was not through.
set -eu
umask 077
cd "$1"
docker compose exec -T db sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-superuser-password) exec psql --no-psqlrc --quiet --username postgres --dbname mastodon_production --set ON_ERROR_STOP=1' >/dev/null <<'SQL'
SET client_min_messages = warning;
SELECT 'DROP OWNED BY mstdn_monitoring' WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'mstdn_monitoring') \gexec
DROP ROLE IF EXISTS mstdn_monitoring;
SQL
rm -rf monitoring
rm -f secrets/monitoring-password
file=secrets/instance.env
if grep -qs '^MONITORING_PASSWORD=' "$file"; then
    grep -v '^MONITORING_PASSWORD=' "$file" >"$file.new"
    chown --reference="$file" "$file.new"
    chmod 0600 "$file.new"
    sync "$file.new"
    mv -fT "$file.new" "$file"
fi
