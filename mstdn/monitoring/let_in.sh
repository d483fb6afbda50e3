# Makes the exporter's role in PostgreSQL of the instance in $1, or sets it right: it has the password of today, and sees
# statistics and settings, but no row of a table.
set -eu
cd "$1"
password=$(cat secrets/monitoring-password)
# What fails is logged without its text, which would hold the password.
docker compose exec -T db sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-superuser-password) exec psql --no-psqlrc --quiet --username postgres --dbname mastodon_production --set ON_ERROR_STOP=1' >/dev/null <<SQL
SET client_min_messages = warning;
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SELECT 'CREATE ROLE mstdn_monitoring' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mstdn_monitoring') \gexec
ALTER ROLE mstdn_monitoring LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 5 VALID UNTIL 'infinity' PASSWORD '$password';
ALTER ROLE mstdn_monitoring SET default_transaction_read_only = on;
ALTER ROLE mstdn_monitoring SET statement_timeout = '20s';
SELECT format('REVOKE %I FROM mstdn_monitoring', granted.rolname) FROM pg_auth_members m
    JOIN pg_roles granted ON granted.oid = m.roleid JOIN pg_roles own ON own.oid = m.member
    WHERE own.rolname = 'mstdn_monitoring' AND granted.rolname <> 'pg_monitor' \gexec
SELECT DISTINCT format('REVOKE ALL ON %I.%I FROM mstdn_monitoring', table_schema, table_name)
    FROM information_schema.role_table_grants WHERE grantee = 'mstdn_monitoring' \gexec
GRANT pg_monitor TO mstdn_monitoring;
SQL
