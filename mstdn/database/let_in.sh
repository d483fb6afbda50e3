# Gives PostgreSQL of the project in $1 the password that its container was given, as at the first installation.
set -eu
cd "$1"
docker compose exec -T db sh /docker-entrypoint-initdb.d/10-mastodon.sh >/dev/null
