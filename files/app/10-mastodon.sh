#!/bin/sh
# Mastodon owns its database and is no superuser. Runs inside the database container: when the data directory is new, and
# once more before the first installation goes on, in case the power was cut here.
set -eu
: "${PGPASSWORD:=$(cat /run/secrets/postgres-superuser-password)}"
export PGPASSWORD
# psql reads the password itself: an argument could be seen in ps.
psql --set ON_ERROR_STOP=1 --quiet --username postgres --dbname postgres <<'SQL'
\set password `cat /run/secrets/postgres-password`
SELECT 'CREATE ROLE mastodon LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mastodon') \gexec
ALTER ROLE mastodon LOGIN PASSWORD :'password';
SELECT $$CREATE DATABASE mastodon_production OWNER mastodon TEMPLATE template0 ENCODING 'UTF8'$$
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'mastodon_production') \gexec
SQL
