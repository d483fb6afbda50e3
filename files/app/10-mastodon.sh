#!/bin/sh
# Runs once, inside the database container, when the data directory is new: Mastodon owns its database and is no superuser.
set -eu
# psql reads the password itself: an argument could be seen in ps.
psql --set ON_ERROR_STOP=1 --quiet --username postgres --dbname postgres <<'SQL'
\set password `cat /run/secrets/postgres-password`
CREATE ROLE mastodon LOGIN PASSWORD :'password';
CREATE DATABASE mastodon_production OWNER mastodon TEMPLATE template0 ENCODING 'UTF8';
SQL
